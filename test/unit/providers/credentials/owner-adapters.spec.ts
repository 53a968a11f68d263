import { ServiceUnavailableError } from '../../../../src/errors/index';
import { CredentialDirectory } from '../../../../src/providers/credentials/credential-directory';
import type { CredentialSecret } from '../../../../src/providers/credentials/credential-secret';
import { CredentialUnreadableError } from '../../../../src/providers/credentials/credential.errors';
import { OwnerAdapters } from '../../../../src/providers/credentials/owner-adapters';
import type { ProviderAdapter } from '../../../../src/providers/index';
import { active, asStore, aStore, type FakeStore, gate, someBackground, someNotifications } from './fakes';

const AWAY = new ServiceUnavailableError('The database is not available');

async function setUp(store: FakeStore) {
  const { notifications, notify } = someNotifications();
  const directory = new CredentialDirectory(asStore(store), notifications);
  directory.onModuleInit();
  const { background, done } = someBackground();
  const adapters = new OwnerAdapters(directory, asStore(store), background);
  await directory.onApplicationBootstrap();
  store.active.mockClear();
  const build = jest.fn((secret: CredentialSecret) => ({ secret }) as unknown as ProviderAdapter);
  const keyOf = async (ownerId: string) =>
    (
      (await adapters.adapterOf(ownerId, 'openai', build)) as unknown as
        { secret: CredentialSecret } | undefined
    )?.secret;
  return { directory, adapters, build, keyOf, notify, done };
}

describe(OwnerAdapters.name, () => {
  it('costs owners without a credential for the provider nothing', async () => {
    const store = aStore([active('ada', 'xai')]);
    const { adapters, build } = await setUp(store);
    expect(adapters.adapterOf('eve', 'openai', build)).toBeUndefined();
    expect(adapters.adapterOf('ada', 'openai', build)).toBeUndefined();
    for (const mock of [store.active, store.secret, store.touch, build]) expect(mock).not.toHaveBeenCalled();
  });

  it('opens a credential once, also for calls that come together', async () => {
    const store = aStore([active('ada', 'openai')]);
    const { adapters, build, done } = await setUp(store);
    const both = await Promise.all([1, 2].map(async () => adapters.adapterOf('ada', 'openai', build)));
    const third = await adapters.adapterOf('ada', 'openai', build);
    expect(new Set([...both, third]).size).toBe(1);
    expect(store.secret).toHaveBeenCalledTimes(1);
    expect(build).toHaveBeenCalledWith({ apiKey: 'key-ada-openai-1' });
    await done();
    expect(store.touch).toHaveBeenCalledTimes(1);
  });

  it('uses the new key after a change, and none after a deletion', async () => {
    const store = aStore([active('ada', 'openai')]);
    const { keyOf, notify } = await setUp(store);
    expect(await keyOf('ada')).toEqual({ apiKey: 'key-ada-openai-1' });
    store.rows.splice(0, 1, active('ada', 'openai', 2));
    notify('ada');
    expect(await keyOf('ada')).toEqual({ apiKey: 'key-ada-openai-2' });
    store.rows.pop();
    notify('ada');
    expect(await keyOf('ada')).toBeUndefined();
  });

  it('does not use what was read before a change that came meanwhile', async () => {
    const store = aStore([active('ada', 'openai')]);
    const { keyOf, notify } = await setUp(store);
    const slow = gate<{ secret: CredentialSecret }>();
    store.secret.mockReturnValueOnce(slow.promise);
    const key = keyOf('ada');
    store.rows.splice(0, 1, active('ada', 'openai', 2));
    notify('ada');
    slow.open({ secret: { apiKey: 'the old one' } });
    expect(await key).toEqual({ apiKey: 'key-ada-openai-2' });
  });

  it('finds out about a change that nobody told of: at the first use, and behind later ones', async () => {
    const store = aStore([active('ada', 'openai', 1)]);
    const { keyOf, done } = await setUp(store);
    store.rows.splice(0, 1, active('ada', 'openai', 2));
    expect(await keyOf('ada')).toEqual({ apiKey: 'key-ada-openai-2' });
    await done();
    const behind = aStore([active('ada', 'openai', 1)]);
    const second = await setUp(behind);
    behind.touch.mockImplementationOnce(() => {
      behind.rows.pop();
      return Promise.resolve(false);
    });
    expect(await second.keyOf('ada')).toBeDefined();
    await second.done();
    expect(await second.keyOf('ada')).toBeUndefined();
  });

  it('says clearly that a credential cannot be opened, once and for all attempts', async () => {
    const store = aStore([active('ada', 'openai')]);
    store.secrets.set('ada-openai', undefined);
    const { keyOf } = await setUp(store);
    const failed = keyOf('ada');
    await expect(failed).rejects.toBeInstanceOf(CredentialUnreadableError);
    await expect(failed).rejects.toMatchObject({
      code: 'CREDENTIAL_UNREADABLE',
      status: 422,
      failure: 'final',
    });
    await expect(keyOf('ada')).rejects.toBeInstanceOf(CredentialUnreadableError);
    expect(store.secret).toHaveBeenCalledTimes(1);
  });

  it('works from memory while the database is away, else says so', async () => {
    const store = aStore([active('ada', 'openai'), active('bob', 'openai')]);
    const { keyOf } = await setUp(store);
    expect(await keyOf('ada')).toBeDefined();
    for (const mock of [store.active, store.secret]) mock.mockRejectedValue(AWAY);
    expect(await keyOf('ada')).toEqual({ apiKey: 'key-ada-openai-1' });
    await expect(keyOf('bob')).rejects.toBe(AWAY);
  });

  it('keeps a bounded number of them', async () => {
    const owners = Array.from({ length: 1100 }, (_, index) => `owner-${index}`);
    const store = aStore(owners.map((owner) => active(owner, 'openai')));
    const { keyOf, build } = await setUp(store);
    for (const owner of owners) await keyOf(owner);
    await keyOf('owner-1099');
    expect(build).toHaveBeenCalledTimes(1100);
    await keyOf('owner-0');
    expect(build).toHaveBeenCalledTimes(1101);
  });
});
