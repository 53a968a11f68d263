import 'reflect-metadata';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { CatalogModule } from '../../../src/catalog/index';
import { ConfigModule, loadConfig } from '../../../src/config/index';
import { DatabaseModule } from '../../../src/database/index';
import { ErrorFilter, ErrorsModule } from '../../../src/errors/index';
import { RequestState } from '../../../src/observability/index';
import { validationPipe } from '../../../src/validation';
import { AuditModule } from '../../support/audit-module';
import { catalogFolder, modelsYaml, modelYaml } from '../../support/catalog/catalog-folder';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';

const folder = catalogFolder({
  'mine.yaml': modelsYaml(
    modelYaml(
      'openai/aaa',
      "supports: { tools: true }, price: { input: '0.15', output: '0.6', cachedRead: '0.075' }",
    ),
    modelYaml('openai/bbb', "price: { input: '0.15', output: '0.6' }"),
    modelYaml('openai/old', 'status: retired, successor: openai/aaa'),
    modelYaml('local/hf.co/me/mine', "price: { input: '0', output: '0' }"),
  ),
});

let caller = '0192f0c1-a2b3-7c4d-8e5f-60718293a4b5';
let database: TestDatabase;
let app: NestFastifyApplication;

beforeAll(async () => {
  database = await createTestDatabase();
  const config = loadConfig({
    LATTICE_ENV: 'test',
    LATTICE_CONFIG_DIR: folder,
    LATTICE_SECRET_KEY: 'x'.repeat(40),
  });
  const module = await Test.createTestingModule({
    imports: [
      ConfigModule.forRoot(config),
      EventEmitterModule.forRoot(),
      ErrorsModule,
      DatabaseModule.forRoot(database.url),
      AuditModule,
      CatalogModule,
    ],
  }).compile();
  app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(app.get(ErrorFilter));
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request, _reply, done) => {
    request.lattice = new RequestState();
    request.lattice.principal = { userId: caller, role: 'admin' };
    done();
  });
  await app.init();
  await fastify.ready();
});
beforeEach(() => app.get(DataSource).query('DELETE FROM price_overrides'));
afterAll(async () => {
  await app.close();
  await database.drop();
});

type Method = 'GET' | 'PUT' | 'DELETE';
async function call(method: Method, url: string, payload?: object) {
  const answer = await app.inject({ method, url: `/api/v1/catalog/${url}`, payload });
  return {
    status: answer.statusCode,
    body: answer.json<Record<string, never> & { data: { id: string }[]; nextCursor: string | null }>(),
  };
}

describe('GET models', () => {
  it('shows capabilities, labelled scores and prices as decimal strings', async () => {
    const { status, body } = await call('GET', 'models/openai/aaa');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: 'openai/aaa',
      supports: { tools: true, vision: false },
      scores: { MATH: 0.5 },
      scoreSource: 'estimate',
      price: {
        input: '0.15',
        output: '0.6',
        cachedRead: '0.075',
        tiers: [],
        source: 'catalog',
        version: expect.any(Number),
      },
    });
  });

  it('shows an unknown price as null and a price of nothing as "0"', async () => {
    expect((await call('GET', 'models/openai/old')).body).toMatchObject({
      price: null,
      successor: 'openai/aaa',
    });
    expect((await call('GET', 'models/local/hf.co%2Fme%2Fmine')).body).toMatchObject({
      price: { input: '0' },
    });
  });

  it('walks through all pages without a gap or a repetition', async () => {
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await call('GET', `models?limit=50${cursor}`);
      seen.push(...body.data.map(({ id }) => id));
      cursor = body.nextCursor ? `&cursor=${body.nextCursor}` : '';
    } while (cursor);
    expect(seen).toEqual([...new Set(seen)].toSorted());
    expect(seen).toContain('openai/aaa');
    expect(seen).toContain('sandbox/small');
  });

  it('takes a cursor neither from another caller nor from another list', async () => {
    const { nextCursor } = (await call('GET', 'models?limit=1')).body;
    expect((await call('GET', `models?cursor=${nextCursor}`)).status).toBe(200);
    expect((await call('GET', `prices?cursor=${nextCursor}`)).status).toBe(400);
    const own = caller;
    caller = '0192f0c1-a2b3-7c4d-8e5f-60718293a4b6';
    try {
      const refused = await call('GET', `models?cursor=${nextCursor}`);
      expect(refused).toMatchObject({ status: 400, body: { error: { param: 'cursor' } } });
    } finally {
      caller = own;
    }
  });

  it.each([
    ['provider=sandbox', ['sandbox/embed', 'sandbox/flaky', 'sandbox/large', 'sandbox/small']],
    ['provider=sandbox&kind=embedding', ['sandbox/embed']],
    ['provider=sandbox&capability=vision', ['sandbox/large']],
    ['provider=sandbox&status=retired', []],
  ])('filters by %s', async (query, ids) => {
    const { body } = await call('GET', `models?${query}`);
    expect(body.data.map(({ id }) => id)).toEqual(ids);
    expect(body.nextCursor).toBeNull();
  });

  it.each(['provider=nobody', 'capability=magic', 'limit=0', 'limit=201', 'colour=red'])(
    'refuses ?%s',
    async (query) => {
      expect((await call('GET', `models?${query}`)).status).toBe(400);
    },
  );

  it('knows no model that does not exist', async () => {
    expect((await call('GET', 'models/openai/none')).status).toBe(404);
  });
});

describe('PUT and DELETE prices', () => {
  it('set an operator’s price, list it first and take it back', async () => {
    const set = await call('PUT', 'prices/openai/aaa', {
      input: '1.25',
      output: '10',
      tiers: [{ fromPromptTokens: 200001, input: '2.5', output: '15' }],
    });
    expect(set).toMatchObject({
      status: 200,
      body: { source: 'operator', input: '1.25', model: 'openai/aaa' },
    });
    const { body } = await call('GET', 'prices?model=openai/aaa&limit=1');
    expect(body).toMatchObject({
      data: [{ source: 'operator', tiers: [{ input: '2.5' }] }],
      nextCursor: expect.any(String),
    });
    const older = await call('GET', `prices?model=openai/aaa&cursor=${body.nextCursor}`);
    expect(older.body).toMatchObject({
      data: [{ source: 'catalog', validTo: expect.any(String) }],
      nextCursor: null,
    });
    const removed = await call('DELETE', 'prices/openai/aaa');
    expect(removed).toMatchObject({ status: 200, body: { price: { input: '0.15', source: 'catalog' } } });
  });

  it('are audited, with the price before and after', async () => {
    await call('PUT', 'prices/openai/bbb', { input: '3', output: '4' });
    await call('PUT', 'prices/openai/bbb', { input: '-1', output: '4' });
    await call('DELETE', 'prices/openai/bbb');
    expect((await call('DELETE', 'prices/openai/bbb')).status).toBe(404);
    const entries: unknown[] = await app
      .get(DataSource)
      .query(
        'select action, actor_id, resource_id, before, after from audit_entries order by position desc limit 2',
      );
    expect(entries).toEqual([
      expect.objectContaining({
        action: 'price.remove',
        before: expect.objectContaining({ input: '3', source: 'operator' }),
        after: null,
      }),
      {
        action: 'price.set',
        actor_id: caller,
        resource_id: 'openai/bbb',
        before: expect.objectContaining({ input: '0.15', source: 'catalog' }),
        after: expect.objectContaining({ input: '3', output: '4' }),
      },
    ]);
  });

  it('are audited with what each of them changed, also when they come at once', async () => {
    const inputs = ['5', '6', '7', '8'];
    await Promise.all(inputs.map((input) => call('PUT', 'prices/openai/bbb', { input, output: '4' })));
    const entries = await app
      .get(DataSource)
      .query<{ from: string; to: string }[]>(
        `select before->>'input' as from, after->>'input' as to from audit_entries order by position desc limit 4`,
      );
    const [first, ...later] = entries.toReversed();
    expect(first?.from).toBe('0.15');
    expect(later.map(({ from }) => from)).toEqual(
      entries
        .toReversed()
        .map(({ to }) => to)
        .slice(0, 3),
    );
  });

  it.each([
    ['a number', { input: 1, output: '1' }],
    ['finer than a pico-dollar per token', { input: '0.0000001', output: '1' }],
    ['negative', { input: '-1', output: '1' }],
    ['a missing output', { input: '1' }],
    ['an unknown field', { input: '1', output: '1', tax: '1' }],
  ])('refuse %s', async (_, payload) => {
    expect((await call('PUT', 'prices/openai/aaa', payload)).status).toBe(400);
  });
});
