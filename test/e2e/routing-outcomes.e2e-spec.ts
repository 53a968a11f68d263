/** Learning from outcomes, over HTTP: reported, imported, given as feedback; seen in routing, pinned and rolled back. */
import OpenAI from 'openai';
import { DataSource } from 'typeorm';
import { CapabilityLearning } from '../../src/scoring/outcomes/versions/capability-learning.service';
import { type Account, startApp, type TestApp } from '../support/app';

const CHEAP = 'sandbox/small';
const SUMMARY =
  'Summarize the following article in two sentences: The council met on Monday to talk about the bridge.';

interface Stored {
  readonly added: number;
  readonly replaced: number;
  readonly version: string;
  readonly warnings: readonly string[];
}
interface Page<T> {
  readonly data: readonly T[];
  readonly nextCursor: string | null;
}
interface Failure {
  readonly error: { readonly code: string; readonly message: string; readonly param?: string };
}

let app: TestApp;
let user: Account;

beforeAll(async () => {
  app = await startApp({ LATTICE_SANDBOX: 'on' });
  user = await app.register();
});
afterEach(async () => {
  await app.call('PUT', '/api/v1/routing/capabilities/pin', { body: { version: null } });
  await app.call('DELETE', '/api/v1/routing/outcomes?all=true');
});
afterAll(() => app.close());

/** What routing makes of the cheap model for a summary. */
async function route(): Promise<{ taskType: string; capability: number; version?: string }> {
  const { body } = await app.call<{
    profile: { taskType: string };
    ranking: { model: string; factors: { capability: number } }[];
    versions: { capabilities?: string };
  }>('POST', '/api/v1/route', { body: { model: 'auto', messages: [{ role: 'user', content: SUMMARY }] } });
  const found = body.ranking.find(({ model }) => model === CHEAP);
  if (!found) throw new Error(`${CHEAP} is not among the candidates`);
  const { taskType } = body.profile;
  return { taskType, capability: found.factors.capability, version: body.versions.capabilities };
}

const importCsv = async <T = Stored>(lines: readonly string[], query = '', credential = app.admin.key) =>
  await app.call<T>('POST', `/api/v1/routing/outcomes/import${query}`, {
    body: ['prompt_id,task_type,model,score', ...lines].join('\n'),
    headers: { 'content-type': 'text/csv' },
    credential,
  });
const goodSummaries = (count: number) =>
  Array.from({ length: count }, (_, index) => `p${index},SUMMARIZATION,${CHEAP},1`);
const pin = (version: string | null) =>
  app.call('PUT', '/api/v1/routing/capabilities/pin', { body: { version } });
const listed = async (query = '', credential = app.admin.key) =>
  (await app.call<Page<Record<string, unknown>>>('GET', `/api/v1/routing/outcomes${query}`, { credential }))
    .body;

describe('outcomes that are imported', () => {
  it('change what routing expects, and pinning the prior takes it back', async () => {
    const before = await route();
    expect(before.taskType).toBe('SUMMARIZATION');
    const { status, body } = await importCsv(goodSummaries(300), '?pool=e2e');
    expect([status, body]).toEqual([
      201,
      { added: 300, replaced: 0, version: expect.any(String), inForce: body.version, warnings: [] },
    ]);
    const after = await route();
    expect(after.capability).toBeGreaterThan(before.capability + 0.1);

    expect(await pin('prior')).toMatchObject({ status: 200, body: { version: 'prior', pinned: 'prior' } });
    expect(await route()).toEqual(before);
    await pin(null);
    expect(await route()).toEqual(after);
    await pin(body.version);
    expect(await route()).toEqual(after);
  });

  it('are refused by line and column, and warned of where they mean nothing', async () => {
    const wrong = await importCsv<Failure>([...goodSummaries(3), 'p,SUMMARIZATION,m,2']);
    expect(wrong).toMatchObject({ status: 400, body: { error: { param: 'score' } } });
    expect(wrong.body.error.message).toMatch(/^Line 5, column score must be/);
    expect((await listed()).data).toEqual([]);
    const odd = await app.call<Stored>('POST', '/api/v1/routing/outcomes/import', {
      body: 'judge,task_type,model,score\nme,MATH,no-such-model,1\n',
      headers: { 'content-type': 'text/csv; charset=utf-8' },
    });
    expect(odd.body.warnings).toEqual([
      expect.stringContaining('judge'),
      expect.stringContaining('no-such-model'),
    ]);
  });

  it('come as text/csv only, and nothing else does', async () => {
    const json = await app.call<Failure>('POST', '/api/v1/routing/outcomes/import', { body: {} });
    expect(json).toMatchObject({ status: 415, body: { error: { code: 'UNSUPPORTED_MEDIA_TYPE' } } });
    for (const path of ['/api/v1/routing/outcomes', '/v1/chat/completions']) {
      const csv = await app.call<Failure>('POST', path, {
        body: 'a,b\n',
        headers: { 'content-type': 'text/csv' },
      });
      expect(csv).toMatchObject({ status: 415, body: { error: { code: 'UNSUPPORTED_MEDIA_TYPE' } } });
    }
  });
});

describe('outcomes that are reported', () => {
  const report = async <T = Stored>(outcomes: readonly object[], credential = app.admin.key) =>
    await app.call<T>('POST', '/api/v1/routing/outcomes', { body: { outcomes }, credential });

  it('are listed in pages and by filter, and removed by filter', async () => {
    const summary = { model: CHEAP, taskType: 'SUMMARIZATION', score: 0.5, costUsd: '0.00012', pool: 'a' };
    await report([summary, { ...summary, pool: 'b' }, { ...summary, taskType: 'MATH' }]);
    const first = await listed('?pool=a&limit=1');
    const second = await listed(`?pool=a&limit=1&cursor=${first.nextCursor}`);
    const types = [...first.data, ...second.data].map(({ taskType }) => taskType);
    expect(new Set(types)).toEqual(new Set(['MATH', 'SUMMARIZATION']));
    expect(second).toMatchObject({
      nextCursor: null,
      data: [{ source: 'api', costUsd: '0.00012', score: 0.5 }],
    });
    expect((await listed(`?model=${CHEAP}&taskType=MATH&source=api`)).data).toHaveLength(1);
    expect((await listed('?model=gpt-4o')).data).toEqual([]);

    expect(await app.call('DELETE', '/api/v1/routing/outcomes')).toMatchObject({ status: 400 });
    const removed = await app.call('DELETE', `/api/v1/routing/outcomes?model=${CHEAP}&taskType=MATH`);
    expect(removed).toMatchObject({ status: 200, body: { removed: 1, version: expect.any(String) } });
    expect((await listed()).data).toHaveLength(2);
  });

  it('name the field that is wrong', async () => {
    const right = { model: CHEAP, taskType: 'MATH', score: 1 };
    for (const [wrong, param] of [
      [{ ...right, score: 1.5 }, 'outcomes.1.score'],
      [{ ...right, taskType: 'SUMS' }, 'outcomes.1.taskType'],
      [{ ...right, costUsd: 0.1 }, 'outcomes.1.costUsd'],
      [{ score: 1, taskType: 'MATH' }, 'outcomes.1.model'],
      [{ ...right, sourcce: 'x' }, 'outcomes.1.sourcce'],
    ] as const) {
      expect(await report<Failure>([right, wrong])).toMatchObject({
        status: 400,
        body: { error: { param } },
      });
    }
    expect((await report<Failure>([])).body.error.param).toBe('outcomes');
    expect((await report<Failure>(Array.from({ length: 1001 }, () => right))).body.error.param).toBe(
      'outcomes',
    );
  });

  it('are for administrators to report, import and remove', async () => {
    const right = [{ model: CHEAP, taskType: 'MATH', score: 1 }];
    expect((await report<Failure>(right, user.key)).status).toBe(403);
    expect((await importCsv<Failure>(goodSummaries(1), '', user.key)).status).toBe(403);
    const options = { credential: user.key };
    expect((await app.call('DELETE', '/api/v1/routing/outcomes?all=true', options)).status).toBe(403);
    const pinned = { credential: user.key, body: { version: 'prior' } };
    expect((await app.call('PUT', '/api/v1/routing/capabilities/pin', pinned)).status).toBe(403);
  });
});

describe('feedback', () => {
  const answers = async (account: Account) =>
    await app.chat(account.key, { model: CHEAP, messages: [{ role: 'user', content: SUMMARY }] });
  const rate = async <T = Record<string, unknown>>(id: string, body: object, account = user) =>
    await app.call<T>('POST', `/v1/chat/completions/${id}/feedback`, { body, credential: account.key });

  it('is given with the request id that OpenAI’s client shows, and learned behind the requests', async () => {
    const openai = new OpenAI({ baseURL: `${app.url}/v1`, apiKey: user.key, maxRetries: 0 });
    const completion = await openai.chat.completions.create({
      model: CHEAP,
      messages: [{ role: 'user', content: SUMMARY }],
    });
    const id = completion._request_id ?? '';
    const given = await rate(id, { score: 0, comment: 'Not even wrong' });
    expect([given.status, given.body]).toEqual([
      201,
      {
        id: expect.stringMatching(/^out_/),
        requestId: id,
        score: 0,
        comment: 'Not even wrong',
        model: CHEAP,
        baseModel: 'small',
        taskType: 'SUMMARIZATION',
        createdAt: expect.any(String),
      },
    ]);
    const before = await route();
    await app.app.get(CapabilityLearning).catchUp();
    expect((await route()).capability).toBeLessThan(before.capability);
    expect((await listed('', user.key)).data).toMatchObject([{ source: 'feedback', hasFeatures: true }]);
  });

  it('is found by the decision’s id too, and only the last one of an answer counts', async () => {
    const { headers } = await answers(user);
    await rate(headers.get('x-lattice-request-id') ?? '', { score: 0 });
    await rate(headers.get('x-lattice-decision-id') ?? '', { score: 1 });
    expect((await listed('', user.key)).data).toMatchObject([{ score: 1, comment: null }]);
  });

  it('is given with the id of the answer where Lattice made it, in every dialect', async () => {
    const messages = [{ role: 'user', content: SUMMARY }];
    for (const [path, body] of [
      ['/v1/chat/completions', { model: CHEAP, messages }],
      ['/v1/messages', { model: CHEAP, messages, max_tokens: 50 }],
      ['/v1/responses', { model: CHEAP, input: SUMMARY }],
    ] as const) {
      const answer = await app.call<{ id: string }>('POST', path, { body, credential: user.key });
      const given = await rate(answer.body.id, { score: 1 });
      expect([path, given.body.requestId]).toEqual([path, answer.headers.get('x-lattice-request-id')]);
    }
  });

  it('is one’s own: of one’s own answers, and shown to nobody but administrators', async () => {
    const other = await app.register();
    const id = (await answers(user)).headers.get('x-lattice-request-id') ?? '';
    expect((await rate(id, { score: 0 }, other)).status).toBe(404);
    expect((await rate(id, { score: 0 }, app.admin)).status).toBe(404);
    await rate(id, { score: 0, comment: 'between us' });
    expect((await listed('', other.key)).data).toEqual([]);
    expect((await listed()).data).toMatchObject([{ comment: 'between us' }]);
  });

  it('refuses a wrong score and a comment that is too long by name', async () => {
    const id = (await answers(user)).headers.get('x-lattice-request-id') ?? '';
    expect(await rate<Failure>(id, { score: 2 })).toMatchObject({
      status: 400,
      body: { error: { param: 'score' } },
    });
    expect(await rate<Failure>(id, { score: 1, comment: 'x'.repeat(2001) })).toMatchObject({
      status: 400,
      body: { error: { param: 'comment' } },
    });
  });

  it('is not for embeddings', async () => {
    const { headers } = await app.call('POST', '/v1/embeddings', {
      body: { model: 'sandbox/embed', input: 'Hello' },
      credential: user.key,
    });
    const refused = await rate<Failure>(headers.get('x-lattice-request-id') ?? '', { score: 1 });
    expect(refused).toMatchObject({ status: 400, body: { error: { param: 'id' } } });
  });
});

describe('capabilities', () => {
  it('show everybody what is in force, model by model, beside what the catalog says', async () => {
    await importCsv(goodSummaries(300));
    const { body } = await app.call<
      Page<{ model: string; taskTypes: Record<string, unknown>[] }> & { version: string }
    >('GET', `/api/v1/routing/capabilities?model=${CHEAP}&taskType=SUMMARIZATION`, { credential: user.key });
    const [model] = body.data;
    const [known] = model?.taskTypes ?? [];
    expect(body.data).toHaveLength(1);
    expect(Number(known?.quality)).toBeGreaterThan(Number(known?.prior));
    expect(Number(known?.observations)).toBeGreaterThan(100);
    expect(body.version).not.toBe('prior');
    const all = await app.call<Page<{ model: string }>>('GET', '/api/v1/routing/capabilities?limit=2');
    const next = await app.call<Page<{ model: string }>>(
      'GET',
      `/api/v1/routing/capabilities?limit=2&cursor=${all.body.nextCursor}`,
    );
    const names = [...all.body.data, ...next.body.data].map(({ model: name }) => name);
    expect(names).toEqual([...new Set(names)].toSorted());
    expect(names).toHaveLength(4);
  });

  it('list their versions, and who made them to administrators only', async () => {
    const { body: stored } = await importCsv(goodSummaries(10));
    const path = '/api/v1/routing/capabilities/versions';
    const [newest] = (await app.call<Page<Record<string, unknown>>>('GET', path)).body.data;
    expect(newest).toMatchObject({
      version: stored.version,
      isInForce: true,
      reason: 'import',
      outcomes: { csv: 10 },
      createdBy: app.admin.userId,
    });
    const whole = await app.call('GET', `${path}/${stored.version}`);
    expect(whole.body).toMatchObject({ version: stored.version, content: { models: expect.any(Object) } });
    const own = await app.call('GET', `${path}/${stored.version}`, { credential: user.key });
    expect(own.body).toMatchObject({ version: stored.version, createdBy: null, content: null });
    expect((await app.call('GET', `${path}/4711`)).status).toBe(404);
    expect((await app.call('GET', `${path}/nonsense`)).status).toBe(404);
  });

  it('cannot be pinned to what is not there', async () => {
    for (const version of ['4711', 'nonsense', 7]) {
      const answer = await app.call<Failure>('PUT', '/api/v1/routing/capabilities/pin', {
        body: { version },
      });
      expect(answer).toMatchObject({ status: 400, body: { error: { param: 'version' } } });
    }
  });

  it('leave an audit entry for every administrative act', async () => {
    await importCsv(goodSummaries(1));
    await pin('prior');
    const rows = await app.app
      .get(DataSource)
      .query<{ action: string }[]>('select action from audit_entries order by position desc limit 2');
    expect(rows.map(({ action }) => action)).toEqual(['capability.pin', 'outcome.import']);
  });
});
