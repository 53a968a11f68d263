import { type Account, type Answer, startApp, type TestApp } from '../support/app';
import type { Failure } from '../support/collection';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const ROUTE = '/api/v1/routing/preferences';
const CHEAP = { capability: 0, context: 0, speed: 0, cost: 1 };
const BEST = { capability: 1, context: 0, speed: 0, cost: 0 };

interface Shown {
  readonly userId: string;
  readonly strategies: Readonly<Record<string, { weights: typeof CHEAP; source: string }>>;
  readonly quality: number | null;
  readonly answerWorthUsd: number | null;
  readonly version: string | null;
  readonly weightsVersion: string;
  readonly updatedAt: string | null;
}

describe(ROUTE, () => {
  let truth: TruthProvider;
  let app: TestApp;
  let ada: Account;

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({ OPENAI_BASE_URL: truth.url });
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
  });

  beforeEach(async () => {
    ada = await app.register();
  });

  const call = (method: string, credential: string, body?: object, query = '') =>
    app.call<Shown & Failure>(method, `${ROUTE}${query}`, { credential, body });
  const set = (body: object, credential = ada.accessToken, query = '') =>
    call('PUT', credential, body, query);
  const of = ({ userId }: Account) => `?userId=${userId}`;

  async function chosen(
    account: Account,
    model = 'auto',
    headers?: Readonly<Record<string, string>>,
  ): Promise<string> {
    const explained = await app.call<{ model: string }>('POST', '/api/v1/route', {
      credential: account.key,
      headers,
      body: { model, messages: [{ role: 'user', content: 'Prove that there are infinitely many primes.' }] },
    });
    return explained.body.model;
  }

  const roleOf = (account: Account, role: string) =>
    app.call('PATCH', `/api/v1/users/${account.userId}`, {
      credential: app.admin.accessToken,
      body: { role },
    });

  it('shows the installation’s weights to who has none of their own', async () => {
    const { status, body } = await call('GET', ada.key);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      userId: ada.userId,
      strategies: {
        auto: {
          weights: { capability: 0.5, context: 0.2, speed: 0.15, cost: 0.15 },
          source: 'installation',
        },
      },
      quality: null,
      answerWorthUsd: null,
      version: null,
      weightsVersion: expect.stringMatching(/^[0-9a-f]{12}$/),
      updatedAt: null,
    });
    expect(Object.keys(body.strategies)).toEqual(['auto', 'cheap', 'best', 'fast']);
  });

  it('routes an owner by their own weights from the next request on, and nobody else', async () => {
    const bob = await app.register();
    const [before, cheapest, best] = [
      await chosen(ada),
      await chosen(ada, 'auto:cheap'),
      await chosen(ada, 'auto:best'),
    ];
    expect(cheapest).not.toBe(best);
    await set({ strategies: { auto: BEST } });
    const asBest = await chosen(ada);
    const { status, body } = await set({ strategies: { auto: CHEAP }, quality: null });
    expect(status).toBe(200);
    expect(body.strategies['auto']).toEqual({ weights: CHEAP, source: 'own' });
    expect(body.strategies['best']?.source).toBe('installation');
    expect(await chosen(ada)).not.toBe(asBest);
    expect(await chosen(bob)).toBe(before);
    expect((await call('DELETE', ada.accessToken)).status).toBe(204);
    expect(await chosen(ada)).toBe(before);
    expect((await call('GET', ada.key)).body.version).toBeNull();
  });

  it('routes an owner by what an answer is worth to them, and what a request says wins', async () => {
    const [cheapest, best] = [await chosen(ada, 'auto:cheap'), await chosen(ada, 'auto:best')];
    const { status, body } = await set({ answerWorthUsd: 1_000_000 });
    expect([status, body.answerWorthUsd]).toEqual([200, 1_000_000]);
    expect((await call('GET', ada.key)).body.answerWorthUsd).toBe(1_000_000);
    expect(await chosen(ada)).toBe(best);
    expect(await chosen(ada, 'auto', { 'x-lattice-answer-worth': '0.000000001' })).not.toBe(best);
    await set({ answerWorthUsd: 1e-9 });
    expect(await chosen(ada)).not.toBe(best);
    expect(await chosen(ada, 'auto:cheap')).toBe(cheapest);
  });

  it('says the version of what counts, and the same for the same content', async () => {
    const versions = [];
    for (const quality of [0.9, 1, 0.9]) versions.push((await set({ quality })).body.version);
    expect(versions[0]).toMatch(/^[0-9a-f]{12}$/);
    expect(versions[2]).toBe(versions[0]);
    expect(versions[1]).not.toBe(versions[0]);
    expect((await call('GET', ada.key)).body).toMatchObject({ quality: 0.9, version: versions[0] });
  });

  it.each<[string, object, string]>([
    ['weights that do not sum to 1', { strategies: { auto: { ...CHEAP, speed: 0.1 } } }, 'strategies.auto'],
    ['a missing factor', { strategies: { best: { capability: 1 } } }, 'strategies.best.context'],
    ['a negative weight', { strategies: { auto: { ...CHEAP, speed: -0.1 } } }, 'strategies.auto.speed'],
    ['a weight that is text', { strategies: { fast: { ...CHEAP, cost: '1' } } }, 'strategies.fast.cost'],
    ['an unknown factor', { strategies: { auto: { ...CHEAP, luck: 0 } } }, 'strategies.auto.luck'],
    ['an unknown strategy', { strategies: { lucky: CHEAP } }, 'strategies.lucky'],
    ['a strategy that is null', { strategies: { cheap: null } }, 'strategies.cheap'],
    ['strategies that are a list', { strategies: [CHEAP] }, 'strategies'],
    ['a quality of 0', { quality: 0 }, 'quality'],
    ['a quality above 1', { quality: 1.01 }, 'quality'],
    ['a quality that is text', { quality: '0.9' }, 'quality'],
    ['a worth of 0', { answerWorthUsd: 0 }, 'answerWorthUsd'],
    ['a worth beyond all reason', { answerWorthUsd: 1_000_001 }, 'answerWorthUsd'],
    ['a worth that is text', { answerWorthUsd: '0.02' }, 'answerWorthUsd'],
  ])('refuses %s and names the field', async (_, body, field) => {
    await set({ quality: 0.7 });
    const { status, body: answer } = await set(body);
    expect(status).toBe(400);
    expect(answer.error).toMatchObject({ code: 'VALIDATION_FAILED', param: field });
    expect((await call('GET', ada.key)).body.quality).toBe(0.7);
  });

  it('lets viewers read theirs and set nothing', async () => {
    await roleOf(ada, 'viewer');
    expect((await call('GET', ada.accessToken)).status).toBe(200);
    expect((await set({ quality: 0.9 })).status).toBe(403);
    expect((await call('DELETE', ada.accessToken)).status).toBe(403);
  });

  it('lets keys do what their scopes say', async () => {
    const keyWith = async (...scopes: string[]) => {
      const made = await app.call<{ key: string }>('POST', '/api/v1/keys', {
        credential: ada.accessToken,
        body: { name: 'scoped', scopes },
      });
      return made.body.key;
    };
    const statuses = async (key: string) =>
      (await Promise.all([call('GET', key), set({ quality: 0.9 }, key)])).map(({ status }) => status);
    expect(await statuses(await keyWith('inference'))).toEqual([403, 403]);
    expect(await statuses(await keyWith('routing:read'))).toEqual([200, 403]);
    expect(await statuses(await keyWith('routing:read', 'routing:write'))).toEqual([200, 200]);
  });

  it('keeps those of others from everybody but administrators', async () => {
    const bob = await app.register();
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const { status, body } = await call(
        method,
        bob.accessToken,
        method === 'PUT' ? { quality: 0.5 } : undefined,
        of(ada),
      );
      expect([method, status, body.error.param]).toEqual([method, 403, 'userId']);
    }
    expect((await call('GET', ada.key)).body.quality).toBeNull();
  });

  it('lets administrators set those of others, which the audit log shows', async () => {
    const admin = app.admin.accessToken;
    expect((await set({ strategies: { auto: CHEAP } }, admin, of(ada))).body.userId).toBe(ada.userId);
    expect((await call('GET', ada.key)).body.strategies['auto']?.source).toBe('own');
    expect((await call('GET', admin)).body.strategies['auto']?.source).toBe('installation');
    expect((await call('DELETE', admin, undefined, of(ada))).status).toBe(204);
    const log: Answer<{ data: { action: string; resourceId: string }[] }> = await app.call(
      'GET',
      '/api/v1/audit?limit=50',
      { credential: admin },
    );
    const acts = log.body.data.filter(({ resourceId }) => resourceId === ada.userId);
    expect(acts.slice(0, 2).map(({ action }) => action)).toEqual([
      'routing_preferences.delete',
      'routing_preferences.set',
    ]);
    const nobody = '?userId=usr_0192f0c1a2b37c4d8e5f60718293a4b5';
    expect((await call('GET', admin, undefined, nobody)).status).toBe(404);
    expect((await call('GET', admin, undefined, '?userId=ada')).body.error.param).toBe('userId');
  });
});
