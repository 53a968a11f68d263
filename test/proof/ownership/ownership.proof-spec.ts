/**
 * Promise 7: every route × foreign id × role. Generated from the OpenAPI document, so that no route is forgotten: a
 * route whose parameters are neither known as somebody's nor as nobody's fails.
 */
import { type Account, startApp, type TestApp } from '../../support/app';
import { reportProof } from '../../support/proof-report';
import { type Belongings, belongingsOf, ownedPart, stateOf } from './belongings';
import { type Target, targetsOf } from './route-document';

/** Parameters that name what belongs to nobody. */
const NOBODYS = new Set([
  '/api/v1/catalog/models/{provider}/{model}',
  '/api/v1/catalog/prices/{provider}/{model}',
  '/api/v1/providers/{id}',
  '/api/v1/providers/{id}/health',
  '/api/v1/providers/{id}/reset',
  '/api/v1/routing/capabilities/versions/{version}',
  '/api/v1/routing/experiments/{id}',
  '/api/v1/routing/experiments/{id}/results',
  '/api/v1/routing/experiments/{id}/start',
  '/api/v1/routing/experiments/{id}/stop',
  '/api/v1/tools/{name}',
  '/v1/models/{model}',
  '/v1/models/{provider}/{model}',
]);

/** What viewers may write: their own credentials, a token that only reads, and what changes nothing. */
const VIEWER_WRITES = new Set([
  'POST /api/v1/decisions/{id}/replay',
  'POST /api/v1/auth/logout',
  'POST /api/v1/auth/password',
  'POST /api/v1/events/{resource}/token',
]);

/** They answer for as long as something happens. */
const STREAMS = new Set(['GET /api/v1/events/{resource}', 'GET /api/v1/projects/{id}/events']);

/** They would end the session that the matrix calls with. */
const ENDS_SESSION = new Set(['POST /api/v1/auth/logout', 'POST /api/v1/auth/password']);

const MISSING = '0192f0c1a2b37c4d8e5f60718293a4b5';

describe('ownership', () => {
  let app: TestApp;
  let owner: Belongings;
  let stranger: Account;
  let viewer: Account;
  let targets: readonly Target[];
  let calls = 0;

  beforeAll(async () => {
    app = await startApp();
    const [first, second, third] = [await app.register(), await app.register(), await app.register()];
    owner = await belongingsOf(app, first);
    [stranger, viewer] = [second, third];
    const made = await app.call('PATCH', `/api/v1/users/${viewer.userId}`, {
      body: { role: 'viewer' },
      credential: app.admin.accessToken,
    });
    expect(made.status).toBe(200);
    targets = await targetsOf(app);
  });

  afterAll(async () => {
    reportProof(8, { routes: targets.length, 'calls of the matrix': calls });
    await app.close();
  });

  const url = (path: string, id: string): string =>
    path.replace(/\{\w+\}/, id || 'x').replaceAll(/\{\w+\}/g, 'x');

  async function call(target: Target, path: string, credential: string | null) {
    calls += 1;
    const hasBody = target.method !== 'GET' && target.method !== 'DELETE';
    if (STREAMS.has(target.key)) return await headOf(path, credential);
    const answer = await app.call<{ error?: Record<string, unknown> }>(target.method, path, {
      credential,
      body: hasBody ? (target.body ?? {}) : undefined,
    });
    return { status: answer.status, text: answer.text, error: answer.body.error };
  }

  /** Streams never end by themselves: their status is what counts. */
  async function headOf(path: string, credential: string | null) {
    const controller = new AbortController();
    const response = await fetch(`${app.url}${path}`, {
      signal: controller.signal,
      headers: credential === null ? {} : { authorization: `Bearer ${credential}` },
    });
    const isJson = response.headers.get('content-type')?.includes('json');
    const text = isJson ? await response.text() : '';
    controller.abort();
    const { error } = (text ? JSON.parse(text) : {}) as { error?: Record<string, unknown> };
    return { status: response.status, text, error };
  }

  const owned = (): readonly Target[] =>
    targets.filter(({ path }) => ownedPart(path, owner.ids) !== undefined && path.includes('{'));
  const foreignId = ({ path }: Target): string => owner.ids[ownedPart(path, owner.ids) ?? ''] ?? '';

  it('knows whose every parameter is', () => {
    const unknown = targets.filter(
      ({ path, parameters }) =>
        parameters.length > 0 && !NOBODYS.has(path) && ownedPart(path, owner.ids) === undefined,
    );
    expect(unknown.map(({ key }) => key)).toEqual([]);
  });

  it('lets nobody in without a credential', async () => {
    const open: string[] = [];
    for (const target of targets.filter(({ routeClass }) => routeClass !== 'public')) {
      const { status } = await call(target, url(target.path, foreignId(target)), null);
      if (status !== 401) open.push(`${target.key}: ${status}`);
    }
    expect(open).toEqual([]);
  });

  it('keeps administrators’ routes from everybody else', async () => {
    const open: string[] = [];
    for (const target of targets.filter(({ routeClass }) => routeClass === 'admin')) {
      for (const credential of [stranger, viewer].flatMap(({ accessToken, key }) => [accessToken, key])) {
        const { status } = await call(target, url(target.path, foreignId(target)), credential);
        if (status !== 403) open.push(`${target.key}: ${status}`);
      }
    }
    expect(open).toEqual([]);
  });

  it('answers a foreign id like a missing one and like nonsense, whoever asks and however', async () => {
    const before = await stateOf(app, owner.account);
    const wrong: string[] = [];
    for (const target of owned().filter(({ routeClass }) => routeClass === 'owned')) {
      const [prefix] = foreignId(target).split('_');
      for (const credential of [stranger.accessToken, stranger.key]) {
        const answers = [];
        for (const id of [foreignId(target), `${prefix}_${MISSING}`, 'nonsense']) {
          answers.push(await call(target, url(target.path, id), credential));
        }
        const statuses = answers.map(({ status }) => status);
        // A key manages no credentials, whatever the id: then all are refused alike.
        const isAlike = new Set(statuses).size === 1 && [403, 404].includes(statuses[0] ?? 0);
        const [foreign, missing] = answers.map(({ error }) => ({ ...error, requestId: '' }));
        if (!isAlike || JSON.stringify(foreign) !== JSON.stringify(missing))
          wrong.push(`${target.key}: ${statuses.join(' ')}`);
        if (credential === stranger.accessToken && statuses[0] !== 404)
          wrong.push(`${target.key}: ${statuses[0]}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(await stateOf(app, owner.account)).toBe(before);
  });

  it('lets viewers read what is theirs and write nothing', async () => {
    const before = await Promise.all([stateOf(app, owner.account), stateOf(app, viewer)]);
    const wrong: string[] = [];
    for (const target of targets.filter(
      ({ routeClass }) => routeClass === 'owned' || routeClass === 'metered',
    )) {
      if (ENDS_SESSION.has(target.key) || STREAMS.has(target.key)) continue;
      const { status } = await call(target, url(target.path, foreignId(target)), viewer.accessToken);
      const mayWrite = target.method === 'GET' || VIEWER_WRITES.has(target.key);
      const isRight = mayWrite ? status !== 403 && status < 500 : status === 403;
      if (!isRight) wrong.push(`${target.key}: ${status}`);
    }
    expect(wrong).toEqual([]);
    const after = await Promise.all([stateOf(app, owner.account), stateOf(app, viewer)]);
    expect(after).toEqual(before);
  });

  it('shows nothing of others in any list', async () => {
    const leaks: string[] = [];
    const secrets = [
      ...Object.values(owner.ids),
      owner.account.email,
      owner.account.userId,
      owner.account.keyId,
    ];
    for (const target of targets.filter(
      ({ method, parameters }) => method === 'GET' && parameters.length === 0,
    )) {
      for (const credential of [stranger.accessToken, stranger.key, viewer.accessToken]) {
        const { text } = await call(target, target.path, credential);
        const leaked = secrets.filter((secret) => text.includes(secret));
        leaks.push(...leaked.map((secret) => `${target.key}: ${secret}`));
      }
    }
    expect(leaks).toEqual([]);
  });

  it('lets administrators see all', async () => {
    const hidden: string[] = [];
    for (const target of owned().filter(({ method }) => method === 'GET')) {
      const { status } = await call(target, url(target.path, foreignId(target)), app.admin.accessToken);
      if (status !== 200) hidden.push(`${target.key}: ${status}`);
    }
    expect(hidden).toEqual([]);
  });

  it('takes no credential out of a URL', async () => {
    const accepted: string[] = [];
    for (const target of targets.filter(
      ({ routeClass, method }) => routeClass !== 'public' && method === 'GET',
    )) {
      for (const name of ['token', 'access_token', 'api_key', 'key', 'authorization']) {
        const path = `${url(target.path, owner.account.userId)}?${name}=${owner.account.accessToken}`;
        const { status } = await call(target, path, null);
        if (status !== 401) accepted.push(`${target.key} ?${name}: ${status}`);
      }
    }
    expect(accepted).toEqual([]);
  });
});
