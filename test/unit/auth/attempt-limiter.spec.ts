import { AttemptLimiter } from '../../../src/auth/brute-force/attempt-limiter';
import type { AttemptsRepository, AttemptWindow } from '../../../src/auth/brute-force/attempts.repository';
import { TooManyAttemptsError } from '../../../src/auth/index';
import type { BackgroundTasks } from '../../../src/observability/index';
import { testConfig } from './support';

const ADDRESS = '192.0.2.1';
const NOW = 1_800_000_000_000;

describe(AttemptLimiter.name, () => {
  const add = jest.fn<Promise<readonly AttemptWindow[]>, [ReadonlyMap<string, number>, number]>();
  let limiter: AttemptLimiter;

  beforeEach(() => {
    jest.useFakeTimers({ now: NOW });
    add.mockImplementation((counts) =>
      Promise.resolve(
        [...counts].map(([bucket, attempts]) => ({ bucket, attempts, endsAt: new Date(NOW + 60_000) })),
      ),
    );
    const background = {
      run: (_name: string, work: () => Promise<void>) => void work().catch(() => undefined),
    };
    limiter = new AttemptLimiter(
      testConfig(),
      { add } as unknown as AttemptsRepository,
      background as unknown as BackgroundTasks,
    );
  });

  afterEach(() => {
    jest.useRealTimers();
    jest.resetAllMocks();
  });

  function fail(count: number, address = ADDRESS): void {
    for (let index = 0; index < count; index += 1) limiter.countFailure(address);
  }

  it('lets everybody try while nobody fails', () => {
    expect(() => limiter.check(ADDRESS)).not.toThrow();
  });

  it('refuses the address from the hundredth failure of a minute on, at once, with the time that is left', () => {
    fail(99);
    jest.setSystemTime(NOW + 20_000);
    expect(() => limiter.check(ADDRESS)).not.toThrow();
    fail(1);
    expect(() => limiter.check(ADDRESS)).toThrow(TooManyAttemptsError);
    expect(() => limiter.check(ADDRESS)).toThrow(expect.objectContaining({ retryAfterMs: 40_000 }) as Error);
    expect(() => limiter.check('192.0.2.2')).not.toThrow();
    jest.setSystemTime(NOW + 60_000);
    expect(() => limiter.check(ADDRESS)).not.toThrow();
  });

  it('writes a flood once a second, not once a failure', async () => {
    fail(5000);
    fail(5000, '192.0.2.2');
    await jest.advanceTimersByTimeAsync(1000);
    expect(add).toHaveBeenCalledTimes(1);
    expect([...(add.mock.calls[0]?.[0].values() ?? [])]).toEqual([5000, 5000]);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(add).toHaveBeenCalledTimes(1);
    expect(() => limiter.check(ADDRESS)).toThrow(TooManyAttemptsError);
  });

  it('keeps its count, and writes it later, when PostgreSQL is away', async () => {
    add.mockRejectedValueOnce(new Error('away'));
    fail(100);
    await jest.advanceTimersByTimeAsync(1000);
    expect(() => limiter.check(ADDRESS)).toThrow(TooManyAttemptsError);
    fail(1);
    await jest.advanceTimersByTimeAsync(1000);
    expect([...(add.mock.calls[1]?.[0].values() ?? [])]).toEqual([101]);
  });

  it('loses no failure that comes while a count is being written', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    add.mockImplementationOnce(async (counts) => {
      await promise;
      return [...counts].map(([bucket, attempts]) => ({ bucket, attempts, endsAt: new Date(NOW + 60_000) }));
    });
    fail(60);
    await jest.advanceTimersByTimeAsync(1000);
    fail(40);
    resolve();
    await jest.advanceTimersByTimeAsync(0);
    expect(() => limiter.check(ADDRESS)).toThrow(TooManyAttemptsError);
    await jest.advanceTimersByTimeAsync(1000);
    expect([...(add.mock.calls[1]?.[0].values() ?? [])]).toEqual([40]);
  });

  it('stays bounded under failures from ever new addresses', async () => {
    for (let index = 0; index < 30_000; index += 1) {
      limiter.countFailure(`198.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);
    }
    await limiter.flush();
    expect(add.mock.calls[0]?.[0].size).toBe(10_000);
  });
});
