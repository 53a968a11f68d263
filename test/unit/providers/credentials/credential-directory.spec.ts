import { ServiceUnavailableError } from '../../../../src/errors/index';
import { CredentialDirectory } from '../../../../src/providers/credentials/credential-directory';
import type { ActiveCredential } from '../../../../src/providers/credentials/credential-store';
import { active, asStore, aStore, type FakeStore, gate, someNotifications } from './fakes';

const AWAY = new ServiceUnavailableError('The database is not available');

async function aDirectory(store: FakeStore) {
  const { notifications, ...hand } = someNotifications();
  const directory = new CredentialDirectory(asStore(store), notifications);
  directory.onModuleInit();
  await directory.onApplicationBootstrap();
  store.active.mockClear();
  const known = (ownerId: string) =>
    [...(directory.find(ownerId)?.entries() ?? [])].map(([id, { version }]) => `${id}:${version}`);
  return { directory, known, ...hand };
}

describe(CredentialDirectory.name, () => {
  it('knows everybody from the boot on and asks nothing after that', async () => {
    const store = aStore([active('ada', 'openai'), active('ada', 'xai', 3), active('bob', 'google')]);
    const { directory, known } = await aDirectory(store);
    expect(known('ada')).toEqual(['openai:1', 'xai:3']);
    expect(known('bob')).toEqual(['google:1']);
    expect(directory.find('eve')).toBeUndefined();
    expect(directory.current('ada')).toBe(directory.find('ada'));
    expect(directory.current('eve')).toBeUndefined();
    expect(store.active).not.toHaveBeenCalled();
  });

  it('lets calls of that owner wait for what is new, and then tells its listeners', async () => {
    const store = aStore([active('ada', 'openai'), active('bob', 'openai')]);
    const { directory, known, notify } = await aDirectory(store);
    const told: string[] = [];
    directory.onChange((ownerId) => told.push(ownerId));
    store.rows.splice(0, 1);
    notify('ada');
    expect(told).toEqual([]);
    expect(directory.current('bob')).toBe(directory.find('bob'));
    const current = directory.current('ada');
    expect(current).toBeInstanceOf(Promise);
    expect(await current).toBeUndefined();
    expect(told).toEqual(['ada']);
    expect(known('ada')).toEqual([]);
    expect(store.active).toHaveBeenCalledTimes(1);
  });

  it('tells nobody of a notification that brings nothing new, such as that of its own change', async () => {
    const store = aStore([active('ada', 'openai')]);
    const { directory, notify } = await aDirectory(store);
    const before = directory.find('ada');
    const told: string[] = [];
    directory.onChange((ownerId) => told.push(ownerId));
    notify('ada');
    expect(await directory.current('ada')).toBe(before);
    expect(told).toEqual([]);
  });

  it('does not take what was read before a later change', async () => {
    const store = aStore([active('ada', 'openai', 1)]);
    const { directory, known, notify } = await aDirectory(store);
    const slow = gate<readonly ActiveCredential[]>();
    store.active.mockReturnValueOnce(slow.promise);
    notify('ada');
    const waiting = directory.current('ada');
    store.rows.splice(0, 1, active('ada', 'openai', 3));
    notify('ada');
    slow.open([active('ada', 'openai', 2)]);
    expect((await waiting)?.get('openai')?.version).toBe(3);
    await directory.current('ada');
    expect(known('ada')).toEqual(['openai:3']);
  });

  it('refuses calls of an owner whose change it could not read, and nobody else’s', async () => {
    const store = aStore([active('ada', 'openai'), active('bob', 'openai')]);
    const { directory, known } = await aDirectory(store);
    store.active.mockRejectedValue(AWAY);
    await directory.changed('ada');
    await expect(directory.current('ada')).rejects.toBe(AWAY);
    expect(directory.current('bob')).toBe(directory.find('bob'));
    store.active.mockResolvedValue([active('ada', 'openai', 2)]);
    expect((await directory.current('ada'))?.get('openai')?.version).toBe(2);
    expect(known('ada')).toEqual(['openai:2']);
    directory.onApplicationShutdown();
  });

  it('looks again by itself after a change that it could not read', async () => {
    jest.useFakeTimers();
    try {
      const store = aStore([]);
      const { directory, known } = await aDirectory(store);
      store.active.mockRejectedValueOnce(AWAY).mockRejectedValueOnce(AWAY);
      store.rows.push(active('ada', 'openai'));
      await directory.changed('ada');
      await jest.advanceTimersByTimeAsync(1000);
      expect(known('ada')).toEqual([]);
      await jest.advanceTimersByTimeAsync(1000);
      expect(known('ada')).toEqual(['openai:1']);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('reads all again when notifications may have been lost', async () => {
    const store = aStore([active('ada', 'openai'), active('bob', 'openai'), active('cat', 'xai')]);
    const { directory, known, reconnect } = await aDirectory(store);
    const before = directory.find('cat');
    const told: string[] = [];
    directory.onChange((ownerId) => told.push(ownerId));
    store.rows.splice(0, 2, active('bob', 'openai', 2), active('dan', 'xai'));
    const read = gate<readonly ActiveCredential[]>();
    store.active.mockReturnValueOnce(read.promise);
    reconnect();
    read.open([...store.rows]);
    await read.promise;
    await Promise.resolve();
    expect(['ada', 'bob', 'cat', 'dan'].map(known)).toEqual([[], ['openai:2'], ['xai:1'], ['xai:1']]);
    expect(told.toSorted()).toEqual(['ada', 'bob', 'dan']);
    expect(directory.find('cat')).toBe(before);
  });

  it('does not undo a change that came while all was read', async () => {
    const store = aStore([active('ada', 'openai')]);
    const { directory, known, reconnect } = await aDirectory(store);
    const slow = gate<readonly ActiveCredential[]>();
    store.active.mockReturnValueOnce(slow.promise);
    reconnect();
    store.rows.splice(0, 1, active('ada', 'openai', 2));
    await directory.changed('ada');
    slow.open([active('ada', 'openai', 1)]);
    await slow.promise;
    await Promise.resolve();
    expect(known('ada')).toEqual(['openai:2']);
  });
});
