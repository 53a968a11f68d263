import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { APP_GUARD } from '@nestjs/core';
import type { ExecutionContext } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { FastifyRequest } from 'fastify';
import { DataSource, type Logger } from 'typeorm';
import { formatUsd, newId, type Principal, toApiId } from '../../../src/common/index';
import { ConfigModule, loadConfig } from '../../../src/config/index';
import { DatabaseModule } from '../../../src/database/index';
import { ErrorFilter, ErrorsModule } from '../../../src/errors/index';
import { LedgerModule } from '../../../src/ledger/index';
import { readInTime } from '../../../src/ledger/read-in-time';
import { attachRequestState, ObservabilityModule, OpenRequests } from '../../../src/observability/index';
import { validationPipe } from '../../../src/validation';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { AuditLogInMemory } from './ledger-node';

const DAY_MS = 86_400_000;
const START = Date.parse('2026-03-01T00:00:00Z');
const MODELS = ['openai/a', 'openai/b', 'anthropic/c'];

interface Line {
  readonly request: string;
  readonly attempt: number;
  readonly user: string;
  readonly key: string | null;
  readonly project: string | null;
  readonly task: string | null;
  readonly session: string | null;
  readonly agent: string | null;
  readonly at: Date;
  readonly model: string;
  readonly cost: bigint | null;
  readonly prompt: number;
  readonly completion: number;
  readonly disputes: string[] | null;
}

interface Page<T> {
  readonly data: T[];
  readonly total?: Record<string, unknown>;
  readonly nextCursor: string | null;
}

interface Group extends Record<string, unknown> {
  readonly costUsd: string;
  readonly requests: number;
}

describe('GET /api/v1/usage', () => {
  let database: TestDatabase;
  let app: NestFastifyApplication;
  let principal: Principal;
  let dataDir: string;
  let lines: Line[];
  const users = [newId(), newId()] as const;
  const keys = [newId(), newId()] as const;
  const projects = [newId(), null] as const;
  const tasks = [newId(), newId(), null] as const;
  const sessions = [newId(), null] as const;
  const agents = ['coder', 'tester', null] as const;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataDir = mkdtempSync(path.join(tmpdir(), 'lattice-usage-'));
    app = await boot(database.url, dataDir, () => principal);
    lines = someLines();
    await store(app.get(DataSource), lines);
  });

  afterAll(async () => {
    await app.close();
    await database.drop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  beforeEach(() => {
    principal = { userId: users[0], role: 'operator' };
  });

  /** 400 attempts of 200 requests over four days, two users, two keys or none, one project or none. */
  function someLines(): Line[] {
    return Array.from({ length: 400 }, (_, i) => {
      const number = Math.floor(i / 2);
      const request = newId(START + number);
      return {
        request: i % 2 === 0 ? request : '',
        attempt: (i % 2) + 1,
        user: users[number % 2] as string,
        key: number % 3 === 0 ? null : (keys[number % 2] as string),
        project: projects[number % 5 === 0 ? 0 : 1],
        task: tasks[number % 3] ?? null,
        session: sessions[number % 2 === 0 ? 0 : 1],
        agent: agents[number % 3] ?? null,
        at: new Date(START + Math.floor((number * 4 * DAY_MS) / 200)),
        model: MODELS[i % 3] as string,
        cost: i % 50 === 7 ? null : 9_007_199_254_740_993n + BigInt(i),
        prompt: i,
        completion: 2 * i,
        disputes: i % 100 === 0 ? ['total'] : null,
      };
    }).map((line, i, all) => (i % 2 === 0 ? line : { ...line, request: all[i - 1]?.request ?? '' }));
  }

  async function get<T>(
    url: string,
  ): Promise<{ status: number; body: Page<T> & { error?: { param?: string } } }> {
    const answer = await app.inject({ method: 'GET', url: `/api/v1/usage${url}` });
    return { status: answer.statusCode, body: answer.json() };
  }

  async function all<T>(url: string): Promise<T[]> {
    return (await pagesOf<T>(url)).flatMap(({ data }) => data);
  }

  async function pagesOf<T>(url: string): Promise<Page<T>[]> {
    const found: Page<T>[] = [];
    let cursor: string | null = null;
    do {
      const next: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const { status, body }: { status: number; body: Page<T> } = await get<T>(`${url}${next}`);
      expect(status).toBe(200);
      found.push(body);
      cursor = body.nextCursor;
    } while (cursor !== null);
    return found;
  }

  const visible = (): Line[] =>
    lines.filter((line) => principal.role === 'admin' || line.user === principal.userId);

  /** Sums by hand in bigint. */
  function oracle(
    keyOf: (line: Line) => Record<string, unknown>,
  ): Map<string, { cost: bigint; requests: Set<string> }> {
    const sums = new Map<string, { cost: bigint; requests: Set<string> }>();
    for (const line of visible()) {
      const key = JSON.stringify(keyOf(line));
      const sum = sums.get(key) ?? { cost: 0n, requests: new Set() };
      sum.requests.add(line.request);
      sums.set(key, { cost: sum.cost + (line.cost ?? 0n), requests: sum.requests });
    }
    return sums;
  }

  const dayOf = (line: Line): string => line.at.toISOString().slice(0, 10);

  const GROUPS: [string, (line: Line) => Record<string, unknown>][] = [
    ['day', (line) => ({ day: dayOf(line) })],
    ['model', (line) => ({ model: line.model })],
    ['key', (line) => ({ key: line.key && toApiId('key', line.key) })],
    ['project', (line) => ({ project: line.project && toApiId('prj', line.project) })],
    ['provider,taskType', (line) => ({ provider: line.model.split('/')[0], taskType: 'MATH' })],
    ['agent', (line) => ({ agent: line.agent })],
    ['user', (line) => ({ user: toApiId('usr', line.user) })],
    ['task', (line) => ({ task: line.task && toApiId('tsk', line.task) })],
    [
      'session,agent',
      (line) => ({ session: line.session && toApiId('ses', line.session), agent: line.agent }),
    ],
    ['model,day', (line) => ({ model: line.model, day: dayOf(line) })],
  ];

  it.each(GROUPS)(
    'sums exactly by %s, over pages, for an administrator and for a user',
    async (groupBy, keyOf) => {
      for (const role of ['operator', 'admin'] as const) {
        principal = { userId: users[0], role };
        const groups = await all<Group>(`?groupBy=${groupBy}&limit=3`);
        const names = Object.keys(keyOf(lines[0] as Line));
        const sums = new Map(
          groups.map((group) => [
            JSON.stringify(Object.fromEntries(names.map((name) => [name, group[name]]))),
            { costUsd: group.costUsd, requests: group.requests },
          ]),
        );
        const expected = [...oracle(keyOf)].map(([key, { cost, requests }]) => [
          key,
          { costUsd: formatUsd(cost), requests: requests.size },
        ]);
        expect(sums).toEqual(new Map(expected as [string, { costUsd: string; requests: number }][]));
        expect(groups).toHaveLength(sums.size);
      }
    },
  );

  it('groups by day unless told otherwise, counts every kind, and keeps to the range', async () => {
    const { body } = await get<Group>('?from=2026-03-02T00:00:00Z&to=2026-03-03T00:00:00Z');
    const day = visible().filter((line) => dayOf(line) === '2026-03-02');
    const sum = (of: (line: Line) => number): number => day.reduce((total, line) => total + of(line), 0);
    expect(body.data).toEqual([
      {
        day: '2026-03-02',
        requests: day.length / 2,
        attempts: day.length,
        promptTokens: sum((line) => line.prompt),
        cachedReadTokens: 0,
        cacheWriteTokens: 0,
        completionTokens: sum((line) => line.completion),
        reasoningTokens: 0,
        costUsd: formatUsd(day.reduce((total, line) => total + (line.cost ?? 0n), 0n)),
        reused: 0,
        savedTokens: 0,
        savedUsd: '0',
        unpriced: day.filter((line) => line.cost === null).length,
        disputed: day.filter((line) => line.disputes).length,
      },
    ]);
    expect(body.nextCursor).toBeNull();
  });

  it('lists lines newest first, each once over all pages', async () => {
    const listed = await all<{ requestId: string; attempt: number }>('/lines?limit=30');
    const expected = visible()
      .toSorted((a, b) => b.at.getTime() - a.at.getTime() || (a.request < b.request ? 1 : -1) || 0)
      .map(({ request }) => toApiId('req', request));
    expect(listed.map(({ requestId }) => requestId).filter((id, i) => i % 2 === 0)).toEqual(
      expected.filter((_, i) => i % 2 === 0),
    );
    expect(listed).toHaveLength(200);
  });

  it('shows a line with exactly the published fields', async () => {
    const line = visible()[0] as Line;
    const { body } = await get(`/lines?requestId=${toApiId('req', line.request)}&model=${line.model}`);
    expect(body.data).toEqual([
      {
        requestId: toApiId('req', line.request),
        attempt: 1,
        provider: 'openai',
        model: 'openai/a',
        modelServed: null,
        outcome: 'succeeded',
        usageSource: 'provider',
        promptTokens: 0,
        cachedReadTokens: null,
        cacheWriteTokens: null,
        completionTokens: 0,
        reasoningTokens: null,
        costUsd: '9007.199254740993',
        savedUsd: null,
        savedTokens: null,
        priceVersion: null,
        startedAt: line.at.toISOString(),
        taskType: 'MATH',
        latencyMs: null,
        firstTokenMs: null,
        disputes: ['total'],
        userId: toApiId('usr', line.user),
        keyId: null,
        projectId: toApiId('prj', line.project as string),
        runId: null,
        taskId: toApiId('tsk', line.task as string),
        sessionId: toApiId('ses', line.session as string),
        agent: 'coder',
      },
    ]);
  });

  it('filters by provider, disputed and user', async () => {
    principal = { userId: users[0], role: 'admin' };
    const query = `/lines?provider=anthropic&disputed=true&userId=${toApiId('usr', users[0])}&limit=200`;
    const { body } = await get(query);
    const expected = lines.filter((l) => l.user === users[0] && l.model === 'anthropic/c' && l.disputes);
    expect(body.data).toHaveLength(expected.length);
    expect(expected.length).toBeGreaterThan(0);
  });

  it('totals everything that the filter finds, on every page', async () => {
    const [first] = await pagesOf('?groupBy=model,day&limit=3');
    const [, second] = await pagesOf('?groupBy=model,day&limit=3');
    const cost = visible().reduce((sum, line) => sum + (line.cost ?? 0n), 0n);
    expect(first?.total).toMatchObject({ attempts: 200, requests: 100, costUsd: formatUsd(cost) });
    expect(second?.total).toEqual(first?.total);
    const none = await get<Group>('?model=openai/none');
    expect(none.body).toMatchObject({ data: [], total: { attempts: 0, costUsd: '0' }, nextCursor: null });
  });

  it.each([
    ['provider=anthropic', (line: Line) => line.model.startsWith('anthropic')],
    ['model=openai/b', (line: Line) => line.model === 'openai/b'],
    ['agent=tester', (line: Line) => line.agent === 'tester'],
    [`keyId=${toApiId('key', keys[0])}`, (line: Line) => line.key === keys[0]],
    [`projectId=${toApiId('prj', projects[0])}`, (line: Line) => line.project === projects[0]],
    [`taskId=${toApiId('tsk', tasks[1])}`, (line: Line) => line.task === tasks[1]],
    [`sessionId=${toApiId('ses', sessions[0])}`, (line: Line) => line.session === sessions[0]],
    ['from=2026-03-02&to=2026-03-03', (line: Line) => dayOf(line) === '2026-03-02'],
    ['from=2026-03-02T01:00:00%2B01:00&to=2026-03-03T00:00:00', (line: Line) => dayOf(line) === '2026-03-02'],
  ])('sums and lists only what %s finds', async (filter, isFound) => {
    const found = visible().filter(isFound);
    expect(found.length).toBeGreaterThan(0);
    const sums = await get<Group>(`?groupBy=user&${filter}`);
    expect(sums.body.total).toMatchObject({ attempts: found.length });
    const listed = await all<{ requestId: string }>(`/lines?limit=200&${filter}`);
    expect(new Set(listed.map(({ requestId }) => requestId))).toEqual(
      new Set(found.map(({ request }) => toApiId('req', request))),
    );
    expect(listed).toHaveLength(found.length);
  });

  it('keeps none of the connections that everybody shares for long', async () => {
    const database = app.get(DataSource);
    const slow = readInTime(database, 'select pg_sleep(30)', [], 50);
    await expect(slow).rejects.toMatchObject({
      status: 503,
      message: expect.stringMatching(/shorter period/),
    });
    const before = database.logger;
    for (const url of ['', '/lines', '?format=csv', '/lines?format=csv']) {
      const statements: string[] = [];
      database.logger = { logQuery: (sql: string) => statements.push(sql) } as unknown as Logger;
      await app.inject({ method: 'GET', url: `/api/v1/usage${url}` });
      database.logger = before;
      expect(statements[1]).toMatch(/^set local statement_timeout = /);
      expect(statements.some((sql) => sql.includes(', ())'))).toBe(url === '');
    }
  });

  it('takes no cursor of another caller, another list or another grouping', async () => {
    const { body } = await get<Group>('?groupBy=model&limit=1');
    const cursor = encodeURIComponent(body.nextCursor ?? '');
    await expect(get(`?groupBy=model&cursor=${cursor}`)).resolves.toMatchObject({ status: 200 });
    for (const url of [`?groupBy=agent&cursor=${cursor}`, `/lines?cursor=${cursor}`])
      await expect(get(url)).resolves.toMatchObject({ status: 400, body: { error: { param: 'cursor' } } });
    principal = { userId: users[1], role: 'admin' };
    await expect(get(`?groupBy=model&cursor=${cursor}`)).resolves.toMatchObject({ status: 400 });
  });

  describe('as CSV', () => {
    async function csv(url: string, accept?: string): Promise<{ type: string; rows: string[][] }> {
      const answer = await app.inject({
        method: 'GET',
        url: `/api/v1/usage${url}`,
        headers: accept === undefined ? {} : { accept },
      });
      expect(answer.statusCode).toBe(200);
      return { type: String(answer.headers['content-type']), rows: parseCsv(answer.body) };
    }

    it('holds every line once, exact, over more pages than one', async () => {
      principal = { userId: users[0], role: 'admin' };
      const database = app.get(DataSource);
      const more = manyLines(2300);
      await store(database, more);
      try {
        const { type, rows } = await csv('/lines?format=csv&limit=1');
        expect(type).toMatch(/^text\/csv/);
        const [header = [], ...data] = rows;
        const column = (name: string): string[] => data.map((row) => row[header.indexOf(name)] ?? '');
        const costs = [...lines, ...more].map(({ cost }) => (cost === null ? '' : formatUsd(cost)));
        expect(column('costUsd').toSorted()).toEqual(costs.toSorted());
        expect(new Set(data.map((row) => row.slice(0, 2).join()))).toHaveProperty('size', costs.length);
      } finally {
        await database.query(`delete from usage_lines where model = 'many/lines'`);
      }
    });

    it('equals the JSON of the same groups', async () => {
      const groups = await all<Group>('?groupBy=model,agent,key');
      const { rows } = await csv('?groupBy=model,agent,key', 'text/csv, */*;q=0.1');
      const [header = [], ...data] = rows;
      expect(header.slice(0, 4)).toEqual(['model', 'agent', 'key', 'requests']);
      expect(data).toEqual(
        groups.map((group) => header.map((name) => String((group[name] as string | number | null) ?? ''))),
      );
    });

    it('is JSON for a client that does not ask for it', async () => {
      const answer = await app.inject({ url: '/api/v1/usage', headers: { accept: 'text/html,*/*' } });
      expect(answer.headers['content-type']).toMatch(/^application\/json/);
      const named = await app.inject({ url: '/api/v1/usage?format=json', headers: { accept: 'text/csv' } });
      expect(named.headers['content-type']).toMatch(/^application\/json/);
    });

    it('shows nobody the lines of others', async () => {
      const { rows } = await csv('/lines?format=csv');
      const [header = [], ...data] = rows;
      expect(new Set(data.map((row) => row[header.indexOf('userId')]))).toEqual(
        new Set([toApiId('usr', users[0])]),
      );
      await expect(get(`/lines?format=csv&userId=${toApiId('usr', users[1])}`)).resolves.toMatchObject({
        status: 403,
      });
    });

    function manyLines(count: number): Line[] {
      const [line] = lines as [Line];
      return Array.from({ length: count }, (_, i) => ({
        ...line,
        request: newId(),
        attempt: 1,
        model: 'many/lines',
        cost: BigInt(i),
      }));
    }
  });

  it('shows nobody the lines of others', async () => {
    const foreign = lines.find((line) => line.user === users[1]) as Line;
    await expect(get(`/lines?requestId=${toApiId('req', foreign.request)}`)).resolves.toMatchObject({
      status: 200,
      body: { data: [] },
    });
    await expect(get(`?userId=${toApiId('usr', users[1])}`)).resolves.toMatchObject({ status: 403 });
  });

  it.each([
    ['?groupBy=day,colour', 'groupBy'],
    ['?groupBy=day,day', 'groupBy'],
    ['?from=yesterday', 'from'],
    ['?limit=201', 'limit'],
    ['?from=2026-13-01', 'from'],
    ['?from=2026-03-02&to=2026-03-01', 'to'],
    ['?groupBy=', 'groupBy'],
    ['?keyId=prj_0', 'keyId'],
    ['?agent=%00', 'agent'],
    ['?format=xml', 'format'],
    ['?cursor=nonsense', 'cursor'],
    ['?groupBy=model&cursor=WyJhIiwiYiJd', 'cursor'],
    ['/lines?cursor=WzEsMl0', 'cursor'],
    ['/lines?requestId=42', 'requestId'],
    ['/lines?disputed=maybe', 'disputed'],
    ['?colour=red', 'colour'],
  ])('refuses %s and names the field', async (url, param) => {
    await expect(get(url)).resolves.toMatchObject({ status: 400, body: { error: { param } } });
  });
});

async function boot(
  url: string,
  dataDir: string,
  principal: () => Principal,
): Promise<NestFastifyApplication> {
  const guard = {
    canActivate: (context: ExecutionContext): boolean => {
      context.switchToHttp().getRequest<FastifyRequest>().lattice.principal = principal();
      return true;
    },
  };
  const module = await Test.createTestingModule({
    imports: [
      ConfigModule.forRoot(loadConfig({ LATTICE_ENV: 'test', LOG_LEVEL: 'silent', DATA_DIR: dataDir })),
      EventEmitterModule.forRoot(),
      ObservabilityModule,
      ErrorsModule,
      DatabaseModule.forRoot(url),
      AuditLogInMemory,
      LedgerModule,
    ],
    providers: [{ provide: APP_GUARD, useValue: guard }],
  }).compile();
  const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
  attachRequestState(app.getHttpAdapter().getInstance(), app.get(OpenRequests));
  app.useGlobalFilters(app.get(ErrorFilter));
  app.useGlobalPipes(validationPipe());
  await app.init();
  return app;
}

async function store(database: DataSource, lines: readonly Line[]): Promise<void> {
  await database.query(
    `insert into usage_lines (request_id, attempt, user_id, key_id, project_id, task_id, session_id, agent, admitted_at, started_at, model,
       provider, task_type, outcome, usage_source, cost_pico_usd, prompt_tokens, completion_tokens, disputes)
     select request, attempt, "user", key, project, task, session, agent, at, at, model, split_part(model, '/', 1), 'MATH', 'succeeded',
       'provider', cost, prompt, completion, disputes
     from json_to_recordset($1) as l (request uuid, attempt int, "user" uuid, key uuid, project uuid,
       task uuid, session uuid, agent text, at timestamptz,
       model text, cost bigint, prompt bigint, completion bigint, disputes text[])`,
    [JSON.stringify(lines, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))],
  );
}

/** RFC 4180, strictly: CRLF, quotes doubled. */
function parseCsv(text: string): string[][] {
  expect(text.endsWith('\r\n')).toBe(true);
  return text
    .slice(0, -2)
    .split('\r\n')
    .map((row) =>
      [...row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
        ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
      ),
    );
}
