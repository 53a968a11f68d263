import type { DataSource } from 'typeorm';
import { LimitPresence } from '../../../src/budget/limit-presence';
import { loadConfig } from '../../../src/config/index';
import type { Notifications } from '../../../src/database/index';

class FakeNotifications {
  readonly handlers: (() => void)[] = [];
  on(_: string, handler: () => void): void {
    this.handlers.push(handler);
  }
  onReconnect(handler: () => void): void {
    this.handlers.push(handler);
  }
}

function presenceOver(answers: readonly (boolean | Promise<boolean>)[], env: NodeJS.ProcessEnv = {}) {
  const queue = [...answers];
  const query = jest.fn(async () => [{ isAny: (await queue.shift()) ?? false }]);
  const notifications = new FakeNotifications();
  const config = loadConfig({ LATTICE_ENV: 'test', LATTICE_SECRET_KEY: 'x'.repeat(32), ...env });
  const presence = new LimitPresence(
    config,
    { query } as unknown as DataSource,
    notifications as unknown as Notifications,
  );
  presence.onModuleInit();
  return { presence, query, notifications };
}

describe(LimitPresence.name, () => {
  it('asks the database once, then knows', async () => {
    const { presence, query } = presenceOver([false]);
    const [first, second] = [presence.isAny(), presence.isAny()];
    await expect(Promise.all([first, second])).resolves.toEqual([false, false]);
    expect(presence.isAny()).toBe(false);
    expect(query).toHaveBeenCalledTimes(1);
  });

  it('asks again when limits have changed, or a notification may have been lost', async () => {
    const { presence, notifications } = presenceOver([false, true, false]);
    await presence.isAny();
    notifications.handlers[0]?.();
    await expect(presence.isAny()).resolves.toBe(true);
    notifications.handlers[1]?.();
    await expect(presence.isAny()).resolves.toBe(false);
  });

  it('asks again after a second at the latest', async () => {
    const { presence } = presenceOver([false, true]);
    await presence.isAny();
    const now = performance.now();
    jest.spyOn(performance, 'now').mockReturnValue(now + 1001);
    await expect(presence.isAny()).resolves.toBe(true);
    jest.restoreAllMocks();
  });

  it('does not keep what was read before a change', async () => {
    let answer: (isAny: boolean) => void = () => undefined;
    const slow = new Promise<boolean>((resolve) => {
      answer = resolve;
    });
    const { presence } = presenceOver([slow, true]);
    const before = presence.isAny();
    presence.forget();
    const after = presence.isAny();
    answer(false);
    await expect(Promise.all([before, after])).resolves.toEqual([false, true]);
    expect(presence.isAny()).toBe(true);
  });

  it('remembers no failure', async () => {
    const { presence } = presenceOver([Promise.reject(new Error('away')), true]);
    await expect(presence.isAny()).rejects.toThrow('away');
    await expect(presence.isAny()).resolves.toBe(true);
  });

  it('need not ask where the configuration limits everybody', () => {
    const { presence, query } = presenceOver([], { RATE_LIMIT_USER_PER_HOUR: '100' });
    expect(presence.isAny()).toBe(true);
    expect(query).not.toHaveBeenCalled();
  });
});
