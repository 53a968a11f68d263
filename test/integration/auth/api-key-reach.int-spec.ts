import { KeyAllowanceHost } from '../../../src/auth/index';
import { fromApiId } from '../../../src/common/index';
import { type Account, type Answer, type AuthApp, bootAuth } from './auth-app';

const KEYS = '/api/v1/keys';
const ME = '/api/v1/auth/me';

describe('the reach of API keys', () => {
  let auth: AuthApp;
  let owner: Account;

  beforeAll(async () => {
    auth = await bootAuth();
    owner = await auth.register();
  });

  afterAll(() => auth.close());

  const create = (credential: string, body: object): Promise<Answer> =>
    auth.call('POST', KEYS, { body: { name: 'k', ...body }, credential });
  const update = (credential: string, id: string, body: object): Promise<Answer> =>
    auth.call('PATCH', `${KEYS}/${id}`, { body, credential });
  const made = async (body: object): Promise<{ id: string; key: string }> =>
    (await create(owner.accessToken, body)).body as { id: string; key: string };

  it('shows what a key was given', async () => {
    const reach = {
      scopes: ['inference', 'usage:*', '*:read'],
      allowedModels: ['sandbox/*', 'openai/not-there-yet'],
      expiresAt: '2099-01-01T00:00:00.000Z',
    };
    const { id } = await made(reach);
    const shown = await auth.call('GET', `${KEYS}/${id}`, { credential: owner.accessToken });
    expect(shown.body).toMatchObject(reach);
  });

  it.each<[object, string, RegExp]>([
    [{ scopes: ['usage:fly'] }, 'scopes', /one of the following values: inference, \*:read, agents:read/],
    [{ scopes: ['*'] }, 'scopes', /following values/],
    [{ scopes: ['*:write'] }, 'scopes', /following values/],
    [{ scopes: ['usage:read', 'usage:read'] }, 'scopes', /unique/],
    [{ scopes: [] }, 'scopes', /not be empty/],
    [{ scopes: 'inference' }, 'scopes', /array/],
    [{ scopes: [null] }, 'scopes', /following values/],
    [{ allowedModels: [] }, 'allowedModels', /not be empty/],
    [{ allowedModels: ['gpt-6'] }, 'allowedModels', /<provider>\/<model>/],
    [{ allowedModels: ['nobody/*'] }, 'allowedModels', /providers are openai/],
    [{ allowedModels: ['openai/gpt*'] }, 'allowedModels', /<provider>/],
    [{ allowedModels: ['*'] }, 'allowedModels', /<provider>/],
    [{ allowedModels: ['openai/'] }, 'allowedModels', /<provider>/],
    [{ allowedModels: ['openai/a b'] }, 'allowedModels', /<provider>/],
    [{ allowedModels: [`openai/${'x'.repeat(200)}`] }, 'allowedModels', /200/],
    [{ allowedModels: [{}] }, 'allowedModels', /<provider>/],
    [{ expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt', /future/],
    [{ expiresAt: 'tomorrow' }, 'expiresAt', /RFC 3339/],
    [{ limits: { requestsPerMinute: -1 } }, 'limits.requestsPerMinute', /not be less than 0/],
    [{ limits: { perYear: 5 } }, 'limits.perYear', /should not exist/],
    [{ limits: [] }, 'limits', /object/],
    [{ budget: { period: 'day', limitUsd: '-1' } }, 'budget.limitUsd', /decimal/],
    [{ budget: { period: 'day', limitUsd: 5 } }, 'budget.limitUsd', /decimal/],
    [{ budget: { limitUsd: '5' } }, 'budget.period', /day, month, total/],
    [{ budget: { period: 'day', limitUsd: '5', spentUsd: '0' } }, 'budget.spentUsd', /should not exist/],
    [{ userId: 'usr_1' }, 'userId', /should not exist/],
    [{ role: 'admin' }, 'role', /should not exist/],
    [{ state: 'active' }, 'state', /should not exist/],
    [{ lastUsedAt: null }, 'lastUsedAt', /should not exist/],
  ])('refuses %j', async (body, param, reason) => {
    const answer = await create(owner.accessToken, body);
    expect(answer).toMatchObject({ status: 400, body: { error: { param } } });
    expect((answer.body.error as { message: string }).message).toMatch(reason);
  });

  it('narrows, widens and renames a key at once', async () => {
    const { id, key } = await made({ scopes: ['usage:read'] });
    await expect(auth.call('GET', ME, { credential: key })).resolves.toMatchObject({
      status: 403,
      body: { error: { code: 'KEY_SCOPE_MISSING', details: { permission: 'auth:read' } } },
    });
    const widened = { name: 'wide', scopes: null, allowedModels: ['sandbox/*'] };
    await expect(update(owner.accessToken, id, widened)).resolves.toMatchObject({
      status: 200,
      body: widened,
    });
    await expect(auth.call('GET', ME, { credential: key })).resolves.toMatchObject({ status: 200 });
    const again = await update(owner.accessToken, id, { allowedModels: null });
    expect(again.body).toMatchObject({ name: 'wide', scopes: null, allowedModels: null });
    await expect(update(owner.accessToken, id, { name: null })).resolves.toMatchObject({
      status: 400,
      body: { error: { param: 'name' } },
    });
  });

  it('lets a key without scopes look at keys and manage none', async () => {
    const { id, key } = await made({});
    await expect(auth.call('GET', `${KEYS}/${id}`, { credential: key })).resolves.toMatchObject({
      status: 200,
    });
    const missing = { status: 403, body: { error: { code: 'KEY_SCOPE_MISSING' } } };
    await expect(create(key, {})).resolves.toMatchObject(missing);
    await expect(update(key, id, { name: 'x' })).resolves.toMatchObject(missing);
    await expect(auth.call('POST', `${KEYS}/${id}/rotate`, { credential: key })).resolves.toMatchObject(
      missing,
    );
    await expect(auth.call('DELETE', `${KEYS}/${id}`, { credential: key })).resolves.toMatchObject(missing);
  });

  describe('a key that manages keys', () => {
    const reach = {
      scopes: ['keys:*', 'inference'],
      allowedModels: ['sandbox/*'],
      expiresAt: '2090-01-01T00:00:00.000Z',
    };
    let manager: { id: string; key: string };

    beforeAll(async () => {
      manager = await made({ name: 'manager', ...reach });
    });

    const within = {
      scopes: ['inference'],
      allowedModels: ['sandbox/small'],
      expiresAt: '2089-01-01T00:00:00Z',
    };

    it('makes others within its own reach', async () => {
      await expect(create(manager.key, within)).resolves.toMatchObject({ status: 201 });
      await expect(create(manager.key, reach)).resolves.toMatchObject({ status: 201 });
    });

    it.each([
      ['scopes', { scopes: ['usage:read'] }],
      ['scopes', { scopes: ['*:read'] }],
      ['scopes', { scopes: null }],
      ['allowedModels', { allowedModels: ['openai/x'] }],
      ['allowedModels', { allowedModels: null }],
      ['expiresAt', { expiresAt: '2091-01-01T00:00:00Z' }],
      ['expiresAt', { expiresAt: null }],
    ])('goes beyond in %s neither for others nor for itself: %j', async (param, beyond) => {
      const refused = { status: 403, body: { error: { code: 'FORBIDDEN', param } } };
      await expect(create(manager.key, { ...within, ...beyond })).resolves.toMatchObject(refused);
      await expect(update(manager.key, manager.id, beyond)).resolves.toMatchObject(refused);
      const other = await made(within);
      await expect(update(manager.key, other.id, beyond)).resolves.toMatchObject(refused);
    });

    it('does not take over a key that may more', async () => {
      const mighty = await made({});
      const rotate = `${KEYS}/${mighty.id}/rotate`;
      await expect(auth.call('POST', rotate, { credential: manager.key })).resolves.toMatchObject({
        status: 403,
      });
      await expect(update(manager.key, mighty.id, { name: 'mine' })).resolves.toMatchObject({ status: 403 });
      await expect(auth.call('GET', ME, { credential: mighty.key })).resolves.toMatchObject({ status: 200 });
    });

    it('narrows and rotates itself', async () => {
      const own = await made({ ...reach });
      await expect(update(own.key, own.id, { name: 'me' })).resolves.toMatchObject({ status: 200 });
      const rotated = await auth.call('POST', `${KEYS}/${own.id}/rotate`, { credential: own.key });
      expect(rotated.status).toBe(200);
      await expect(create(own.key, within)).resolves.toMatchObject({ status: 401 });
      await expect(create(String(rotated.body.key), within)).resolves.toMatchObject({ status: 201 });
    });

    it('gets no other secret while it has a budget or limits of its own', async () => {
      const host = auth.app.get(KeyAllowanceHost);
      const own = await made({ ...reach });
      const other = await made(within);
      const budget = { period: 'day', limitUsd: '5', mode: 'hard' } as const;
      host.bind({
        set: () => Promise.resolve(() => undefined),
        list: () => Promise.resolve(new Map([[fromApiId('key', own.id) ?? '', { budget }]])),
      });
      await expect(create(own.key, within)).resolves.toMatchObject({ status: 403 });
      const rotate = (id: string): Promise<Answer> =>
        auth.call('POST', `${KEYS}/${id}/rotate`, { credential: own.key });
      await expect(rotate(other.id)).resolves.toMatchObject({ status: 403 });
      await expect(rotate(own.id)).resolves.toMatchObject({ status: 200, body: { budget } });
    });
  });
});
