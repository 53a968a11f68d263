import { digestOf } from '../../../src/auth/credentials/secret-token';
import { Authenticator } from '../../../src/auth/guard/authenticator.service';
import { ApiKeysRepository } from '../../../src/auth/keys/api-keys.repository';
import { eventually } from '../../support/eventually';
import { type Account, type Answer, type AuthApp, bootAuth } from './auth-app';

const KEYS = '/api/v1/keys';
const ME = '/api/v1/auth/me';

describe('rotating an API key', () => {
  let auth: AuthApp & { url: string };
  let owner: Account;

  beforeAll(async () => {
    auth = await bootAuth();
    owner = await auth.register();
  });

  afterAll(() => auth.close());

  function rotate(id: string, body?: object): Promise<Answer> {
    return auth.call('POST', `${KEYS}/${id}/rotate`, { body, credential: owner.accessToken });
  }

  const statusOf = async (key: unknown): Promise<number> =>
    (await auth.call('GET', ME, { credential: String(key) })).status;

  it('gives the same key another secret and ends the old one', async () => {
    const { id, key, prefix } = await auth.createKey(owner, { name: 'one', scopes: ['auth:read'] });
    const { status, body } = await rotate(id);
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { id, name: 'one', scopes: ['auth:read'], previousKeyUntil: null },
    });
    expect(body.key).toMatch(/^llk_[\w-]{43}$/);
    expect(body.key).not.toBe(key);
    expect(body.prefix).not.toBe(prefix);
    expect([await statusOf(key), await statusOf(body.key)]).toEqual([401, 200]);
    const stored = JSON.stringify(await auth.database.query('select * from api_keys'));
    expect(stored).not.toContain(String(body.key));
  });

  it('takes the old secret as well until the grace is over', async () => {
    const { id, key } = await auth.createKey(owner);
    const { body } = await rotate(id, { graceSeconds: 3600 });
    const leftMs = Date.parse(String(body.previousKeyUntil)) - Date.now();
    expect(Math.abs(leftMs - 3_600_000)).toBeLessThan(60_000);
    expect([await statusOf(key), await statusOf(body.key)]).toEqual([200, 200]);
    // No cache keeps it longer.
    const found = await auth.app.get(ApiKeysRepository).findActive(digestOf(key));
    expect(found?.expiresAtMs).toBe(Date.parse(String(body.previousKeyUntil)));
    await auth.database.query(`update api_keys set previous_key_until = now() - interval '1 s'`);
    expect([await statusOf(key), await statusOf(body.key)]).toEqual([401, 200]);
  });

  it('keeps a grace within the expiry, and ends it with the next rotation and with the key', async () => {
    const { id, key } = await auth.createKey(owner);
    const second = (await rotate(id, { graceSeconds: 3600 })).body.key;
    const third = (await rotate(id, { graceSeconds: 3600 })).body.key;
    expect([await statusOf(key), await statusOf(second), await statusOf(third)]).toEqual([401, 200, 200]);
    await auth.call('DELETE', `${KEYS}/${id}`, { credential: owner.accessToken });
    expect([await statusOf(second), await statusOf(third)]).toEqual([401, 401]);
    const other = await auth.createKey(owner);
    await rotate(other.id, { graceSeconds: 3600 });
    await auth.database.query(`update api_keys set expires_at = now() - interval '1 s'`);
    expect(await statusOf(other.key)).toBe(401);
    await expect(rotate(other.id)).resolves.toMatchObject({ status: 409 });
  });

  it.each([-1, 86_401, 1.5, '60'])('refuses a grace of %j', async (graceSeconds) => {
    const { id, key } = await auth.createKey(owner);
    const answer = await rotate(id, { graceSeconds });
    expect(answer).toMatchObject({ status: 400, body: { error: { param: 'graceSeconds' } } });
    expect(await statusOf(key)).toBe(200);
  });

  describe('and other processes', () => {
    let second: AuthApp;

    beforeAll(async () => {
      second = await bootAuth({}, auth.url);
    });

    afterAll(() => second.close());

    it.each<[string, (id: string) => Promise<unknown>]>([
      ['a rotation', (id) => rotate(id)],
      ['a revocation', (id) => auth.call('DELETE', `${KEYS}/${id}`, { credential: owner.accessToken })],
      [
        'a change',
        (id) => auth.call('PATCH', `${KEYS}/${id}`, { body: { name: 'n' }, credential: owner.accessToken }),
      ],
    ])('forget what they cached of it after %s', async (_name, act) => {
      const { id, key } = await auth.createKey(owner);
      const [here, there] = [auth.app.get(Authenticator), second.app.get(Authenticator)];
      const isCached = async (node: Authenticator): Promise<boolean> => {
        const found = node.authenticateCached(key);
        await found;
        return !(found instanceof Promise);
      };
      for (const node of [here, there]) await isCached(node);
      expect([await isCached(here), await isCached(there)]).toEqual([true, true]);
      await act(id);
      expect(await isCached(here)).toBe(false);
      // Sooner than the 10 s after which it would be forgotten anyway.
      await eventually(async () => ((await isCached(there)) ? undefined : true));
    });
  });
});
