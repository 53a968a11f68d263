import { formatUsd, parseUsd } from '../../src/common/index';
import type { ExperimentResultsDto } from '../../src/selection/experiments/dto/experiment-results.response.dto';
import { CREATE_EXAMPLES } from '../../src/selection/experiments/dto/experiment.request.dto';
import type { ExperimentDto } from '../../src/selection/experiments/dto/experiment.response.dto';
import { type Account, startApp, type TestApp } from '../support/app';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const ROUTE = '/api/v1/routing/experiments';
const LARGE = 'openai/gpt-6-luna';
const SMALL = 'openai/gpt-5.4-mini';
const MODELS = [
  { name: 'large', weight: 1, model: LARGE },
  { name: 'small', weight: 1, model: SMALL },
];

type Failure = { error: { code: string; message: string; param: string | null; details?: object } };

interface Asked {
  readonly key: string;
  readonly requestId: string;
  readonly model: string;
  readonly decision: { strategy: string; experiment?: { id: string; arm: string } };
}

describe('experiments', () => {
  let truth: TruthProvider;
  let app: TestApp;
  let ada: Account;

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({ OPENAI_BASE_URL: truth.url, LATTICE_SANDBOX: 'on' });
    ada = await app.register();
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
  });

  afterEach(async () => {
    const { body } = await app.call<{ data: ExperimentDto[] }>('GET', `${ROUTE}?status=running`);
    for (const { id } of body.data) await app.call('POST', `${ROUTE}/${id}/stop`);
    await truth.clearScripts();
  });

  async function running(body: object): Promise<string> {
    const made = await app.call<ExperimentDto>('POST', ROUTE, { body });
    expect([made.status, made.text]).toEqual([201, expect.any(String)]);
    const started = await app.call<ExperimentDto>('POST', `${ROUTE}/${made.body.id}/start`);
    expect([started.status, started.body.status]).toEqual([200, 'running']);
    return made.body.id;
  }

  async function newKey(more: object = {}): Promise<string> {
    const body = { name: 'test', ...more };
    const made = await app.call<{ key: string }>('POST', '/api/v1/keys', {
      body,
      credential: ada.accessToken,
    });
    return made.body.key;
  }

  async function ask(key: string, more: object = {}): Promise<Asked> {
    const answer = await app.chat(key, { model: 'auto', max_tokens: 20, ...more });
    expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
    const id = answer.headers.get('x-lattice-decision-id') ?? '';
    const decision = await app.call<{ decision: Asked['decision'] }>('GET', `/api/v1/decisions/${id}`);
    return {
      key,
      requestId: answer.headers.get('x-lattice-request-id') ?? '',
      model: answer.headers.get('x-lattice-model') ?? '',
      decision: decision.body.decision,
    };
  }

  const results = async (id: string): Promise<ExperimentResultsDto> =>
    (await app.call<ExperimentResultsDto>('GET', `${ROUTE}/${id}/results`)).body;

  it('send each key to the model of its arm, for as long as they run, and say so in the decision', async () => {
    const before = await ask(await newKey());
    expect(before.decision).not.toHaveProperty('experiment');
    const id = await running({ name: 'models', arms: MODELS });
    const models = new Map<string, Set<string>>();
    for (let index = 0; index < 24; index += 1) {
      const key = await newKey();
      for (const question of ['Hello', 'What is 7 times 8?']) {
        const asked = await ask(key, { messages: [{ role: 'user', content: question }] });
        const arm = MODELS.find(({ model }) => model === asked.model);
        expect(asked.decision.experiment).toMatchObject({ id, arm: arm?.name });
        models.set(key, (models.get(key) ?? new Set()).add(asked.model));
      }
    }
    expect([...models.values()].every((used) => used.size === 1)).toBe(true);
    expect(new Set([...models.values()].flatMap((used) => [...used]))).toEqual(new Set([LARGE, SMALL]));
    await app.call('POST', `${ROUTE}/${id}/stop`);
    for (const key of models.keys()) expect((await ask(key)).decision).not.toHaveProperty('experiment');
  });

  it('show per arm what the books and the callers say, also when they are over', async () => {
    const id = await running({ name: 'results', stickyBy: 'request', arms: MODELS });
    const key = await newKey();
    const asked = [];
    for (let index = 0; index < 20; index += 1) asked.push(await ask(key));
    for (const { requestId, model } of asked) {
      await app.call('POST', `/v1/chat/completions/${requestId}/feedback`, {
        body: { score: model === LARGE ? 1 : 0.5 },
        credential: key,
      });
    }
    await app.call('POST', `${ROUTE}/${id}/stop`);
    const found = await results(id);
    expect(found).toMatchObject({
      experimentId: id,
      status: 'stopped',
      confidence: 0.95,
      independent: 'requests',
    });
    for (const { name, model } of MODELS) {
      const own = asked.filter((one) => one.model === model);
      expect(own.length).toBeGreaterThan(0);
      const lines = (await Promise.all(own.map(({ requestId }) => app.lines(requestId)))).flat();
      const cost = lines.reduce((sum, { costUsd }) => sum + parseUsd(costUsd ?? ''), 0n);
      expect(cost).toBeGreaterThan(0n);
      expect(found.arms.find((arm) => arm.name === name)).toMatchObject({
        requests: own.length,
        callers: 1,
        open: 0,
        cost: { count: own.length, totalUsd: formatUsd(cost) },
        latencyMs: { count: own.length, mean: expect.any(Number), p95: expect.any(Number) },
        errors: { count: 0, of: own.length, rate: 0, low: 0, high: expect.any(Number) },
        feedback: { count: own.length, mean: model === LARGE ? 1 : 0.5 },
        promptTokens: lines.reduce((sum, line) => sum + (line.promptTokens ?? 0), 0),
        fallbackShare: 0,
      });
    }
    const [compared] = found.comparisons;
    expect(compared).toMatchObject({
      arm: 'small',
      to: 'large',
      feedback: { difference: -0.5, excludesZero: true },
    });
  });

  it('never fail a request: an answer comes from another model, and the arm is charged with it', async () => {
    const id = await running({ name: 'failing', stickyBy: 'request', arms: MODELS });
    await truth.script({ model: 'gpt-6-luna', times: 'always', fault: { kind: 'status', status: 503 } });
    const key = await newKey();
    let asked = await ask(key);
    while (asked.decision.experiment?.arm !== 'large') asked = await ask(key);
    expect(asked.model).not.toBe(LARGE);
    const [large] = (await results(id)).arms;
    expect(large).toMatchObject({ requests: 1, fallbackShare: 1, errors: { count: 0, of: 1 } });
  });

  it('leave alone who names a model or a quality, or whose key may not use the models of all arms', async () => {
    const id = await running({ name: 'others', arms: MODELS });
    const restricted = await newKey({ allowedModels: [SMALL] });
    for (const [key, more] of [
      [restricted, {}],
      [ada.key, { model: SMALL }],
      [ada.key, { model: 'auto:cheap' }],
      [ada.key, { lattice: { quality: 0.5 } }],
    ] as const) {
      expect((await ask(key, more)).decision).not.toHaveProperty('experiment');
    }
    expect((await results(id)).arms.map(({ requests }) => requests)).toEqual([0, 0]);
  });

  it('split other strategies and single task types as well', async () => {
    const arms = [
      { name: 'cheap', weight: 1, strategy: 'cheap' },
      { name: 'best', weight: 1, strategy: 'best' },
    ];
    const id = await running({
      name: 'fast?',
      strategy: 'fast',
      taskTypes: ['TRANSLATION'],
      stickyBy: 'user',
      arms,
    });
    const translating = { model: 'auto:fast', lattice: { taskType: 'TRANSLATION' } };
    const { decision } = await ask(ada.key, translating);
    expect(decision.experiment).toMatchObject({ id, arm: decision.strategy });
    expect((await ask(await newKey(), translating)).decision.strategy).toBe(decision.strategy);
    const other = await ask(ada.key, { ...translating, lattice: { taskType: 'MATH' } });
    expect(other.decision).toMatchObject({ strategy: 'fast' });
    expect(other.decision).not.toHaveProperty('experiment');
  });

  it('are known to administrators only', async () => {
    const id = await running({ name: 'secret', arms: MODELS });
    for (const [method, route] of [
      ['POST', ROUTE],
      ['GET', ROUTE],
      ...['GET', 'PATCH', 'DELETE'].map((name) => [name, `${ROUTE}/${id}`] as const),
      ['GET', `${ROUTE}/${id}/results`],
      ['POST', `${ROUTE}/${id}/stop`],
    ] as const) {
      const body = method === 'POST' || method === 'PATCH' ? { name: 'mine' } : undefined;
      expect((await app.call(method, route, { body, credential: ada.accessToken })).status).toBe(403);
    }
  });

  it('work as the examples of the documentation stand there', async () => {
    for (const { value } of Object.values(CREATE_EXAMPLES)) {
      await app.call('POST', `${ROUTE}/${await running({ ...value, name: 'an example' })}/stop`);
    }
  });

  it.each<[string, object, string]>([
    ['no arms', { arms: undefined }, 'arms'],
    ['one arm', { arms: MODELS.slice(1) }, 'arms'],
    ['six arms', { arms: [0, 1, 2, 3, 4, 5].map((n) => ({ ...MODELS[0], name: `${n}` })) }, 'arms'],
    ['arms of one name', { arms: [MODELS[0], MODELS[0]] }, 'arms.1.name'],
    ['an arm that goes nowhere', { arms: [MODELS[0], { name: 'x', weight: 1 }] }, 'arms.1.strategy'],
    [
      'an arm that goes two ways',
      { arms: [MODELS[0], { ...MODELS[1], strategy: 'auto' }] },
      'arms.1.strategy',
    ],
    ['a target for a model', { arms: [MODELS[0], { ...MODELS[1], quality: 0.5 }] }, 'arms.1.quality'],
    ['a weight of 0', { arms: [MODELS[0], { ...MODELS[1], weight: 0 }] }, 'arms.1.weight'],
    ['a name of blanks', { arms: [MODELS[0], { ...MODELS[1], name: ' ' }] }, 'arms.1.name'],
    ['an unknown model', { arms: [MODELS[0], { ...MODELS[1], model: 'gpt-99' }] }, 'arms.1.model'],
    ['a share above 1', { share: 1.5 }, 'share'],
    ['an unknown type', { taskTypes: ['POETRY'] }, 'taskTypes'],
    ['no type', { taskTypes: [] }, 'taskTypes'],
    ['an unknown field', { status: 'running' }, 'status'],
  ])('refuse %s by name', async (_, more, param) => {
    const answer = await app.call<Failure>('POST', ROUTE, { body: { name: 'wrong', arms: MODELS, ...more } });
    expect([answer.status, answer.body.error.param]).toEqual([400, param]);
  });

  it('answer 409 with the one that runs, and 404 for none', async () => {
    const id = await running({ name: 'first', arms: MODELS });
    const second = await app.call<ExperimentDto>('POST', ROUTE, { body: { name: 'second', arms: MODELS } });
    const refused = await app.call<Failure>('POST', `${ROUTE}/${second.body.id}/start`);
    expect([refused.status, refused.text.includes(id)]).toEqual([409, true]);
    for (const missing of [id.replace(/.{4}$/, '0000'), 'exp_x', 'nonsense']) {
      expect((await app.call('GET', `${ROUTE}/${missing}/results`)).status).toBe(404);
    }
  });
});
