import type { Principal, RequestContext } from '../../../src/common/index';
import { Authenticator, ScopedTokenService } from '../../../src/auth/index';
import { type Account, type AuthApp, bootAuth } from './auth-app';

const READ = 'events:read';

describe(`${Authenticator.name}.recheck`, () => {
  let auth: AuthApp;
  let admin: Account;
  let owner: Account;

  beforeAll(async () => {
    auth = await bootAuth();
    admin = await auth.register();
  });

  beforeEach(async () => {
    owner = await auth.register();
  });

  afterAll(() => auth.close());

  const authenticator = (): Authenticator => auth.app.get(Authenticator);

  async function letIn(credential: string): Promise<Principal> {
    const principal = await authenticator().authenticate(credential);
    if (!principal) throw new Error('This credential should be good');
    return principal;
  }

  const isStillIn = async (principal: Principal, permission = READ): Promise<boolean> =>
    (await authenticator().recheck(principal, permission)) !== undefined;
  const changeKey = (id: string, body: object) =>
    auth.call('PATCH', `/api/v1/keys/${id}`, { body, credential: owner.accessToken });
  const rotate = (id: string, body: object = {}) =>
    auth.call('POST', `/api/v1/keys/${id}/rotate`, { body, credential: owner.accessToken });
  const changeOwner = (body: object) =>
    auth.call('PATCH', `/api/v1/users/${owner.userId}`, { body, credential: admin.accessToken });

  it('gives whoever is still in as they are now', async () => {
    const { id, key } = await auth.createKey(owner);
    const principal = await letIn(key);
    await expect(authenticator().recheck(principal, READ)).resolves.toEqual(principal);
    await changeKey(id, { scopes: ['events:*'] });
    await changeOwner({ role: 'viewer' });
    await expect(authenticator().recheck(principal, READ)).resolves.toEqual({
      ...principal,
      role: 'viewer',
      scopes: ['events:*'],
    });
    const session = await letIn(owner.accessToken);
    await expect(authenticator().recheck(session, READ)).resolves.toEqual(session);
  });

  it('ends with the secret that was sent, after its grace', async () => {
    const { id, key } = await auth.createKey(owner);
    const principal = await letIn(key);
    await rotate(id, { graceSeconds: 60 });
    expect(await isStillIn(principal)).toBe(true);
    await auth.database.query(`update api_keys set previous_key_until = now() - interval '1 s'`);
    expect(await isStillIn(principal)).toBe(false);
    const { body } = await rotate(id);
    expect(await isStillIn(await letIn(String(body.key)))).toBe(true);
  });

  it.each<[string, (keyId: string) => Promise<unknown>]>([
    ['is revoked', (id) => auth.call('DELETE', `/api/v1/keys/${id}`, { credential: owner.accessToken })],
    ['is narrowed', (id) => changeKey(id, { scopes: ['inference', 'usage:read'] })],
    ['is rotated', (id) => rotate(id)],
    ['expires', () => auth.database.query(`update api_keys set expires_at = now() - interval '1 s'`)],
    ['has an owner who is disabled', () => changeOwner({ isDisabled: true })],
  ])('ends with a key that %s', async (_name, end) => {
    const { id, key } = await auth.createKey(owner);
    const principal = await letIn(key);
    expect(await isStillIn(principal)).toBe(true);
    await end(id);
    expect(await isStillIn(principal)).toBe(false);
  });

  it('ends event tokens with the secret that asked for them', async () => {
    const { id, key } = await auth.createKey(owner);
    const principal = await letIn(key);
    const { token } = await auth.app.get(ScopedTokenService).issue({ principal } as RequestContext, 'me');
    const event = { token, resource: 'me' };
    await expect(authenticator().authenticateEventToken(event)).resolves.toEqual(principal);
    await rotate(id);
    await expect(authenticator().authenticateEventToken(event)).resolves.toBeUndefined();
  });

  it('ends with the session, and with a role that may not', async () => {
    const principal = await letIn(owner.accessToken);
    expect(await isStillIn(principal, 'webhooks:write')).toBe(true);
    await changeOwner({ role: 'viewer' });
    expect([await isStillIn(principal, 'webhooks:write'), await isStillIn(principal)]).toEqual([false, true]);
    await auth.call('POST', '/api/v1/auth/logout', { body: {}, credential: owner.accessToken });
    expect(await isStillIn(principal)).toBe(false);
  });
});
