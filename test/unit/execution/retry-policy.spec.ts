import { backoffMs, retryDelayMs, withRetry } from '../../../src/execution/index';

const POLICY = { maxTries: 4, baseDelayMs: 1000, maxDelayMs: 60_000 };

describe('backoffMs', () => {
  it.each([
    [1, 1000],
    [2, 2000],
    [3, 4000],
    [4, 8000],
    [7, 60_000],
    [30, 60_000],
  ])('before try %i + 1 waits about %i ms', (tries, expected) => {
    expect(backoffMs(POLICY, tries, () => 0.5)).toBe(expected);
    expect(backoffMs(POLICY, tries, () => 0)).toBeGreaterThanOrEqual(expected * 0.8 - 1);
    expect(backoffMs(POLICY, tries, () => 1)).toBeLessThanOrEqual(Math.min(expected * 1.2, 60_000));
  });
});

describe('retryDelayMs', () => {
  it('lets Retry-After win over the backoff', () => {
    expect(retryDelayMs(POLICY, 1, { retryAfterMs: 17, timeLeftMs: 1e9 })).toBe(17);
  });

  it.each([
    ['longer than the cap', 60_001, 1e9],
    ['longer than the time left', 5000, 4000],
  ])('gives up on a Retry-After that is %s', (_, retryAfterMs, timeLeftMs) => {
    expect(retryDelayMs(POLICY, 1, { retryAfterMs, timeLeftMs })).toBeUndefined();
  });
});

describe('withRetry', () => {
  const signal = new AbortController().signal;

  it('tries until it succeeds', async () => {
    let tries = 0;
    const answer = await withRetry(
      () => (++tries < 3 ? Promise.reject(new Error('no')) : Promise.resolve('yes')),
      () => ({ again: true, delayMs: 0 }),
      signal,
    );
    expect([answer, tries]).toEqual(['yes', 3]);
  });

  it('throws the last failure when told to give up', async () => {
    const failures = [new Error('first'), new Error('second')];
    let tries = 0;
    const run = withRetry(
      () => Promise.reject(failures[tries++]),
      () => (tries < 2 ? { again: true, delayMs: 0 } : { again: false }),
      signal,
    );
    await expect(run).rejects.toBe(failures[1]);
  });

  it('ends a pause at once when the signal fires', async () => {
    const controller = new AbortController();
    const failure = new Error('no');
    const run = withRetry(
      () => Promise.reject(failure),
      () => {
        queueMicrotask(() => controller.abort());
        return { again: true, delayMs: 3_600_000 };
      },
      controller.signal,
    );
    await expect(run).rejects.toBe(failure);
  });
});
