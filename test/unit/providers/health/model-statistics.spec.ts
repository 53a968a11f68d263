import { ModelStatistics, percentile, together } from '../../../../src/providers/health/model-statistics';

const START = 1_700_000_000_000;

describe(ModelStatistics.name, () => {
  it('counts requests, failures by kind and what we ended ourselves', () => {
    const statistics = new ModelStatistics();
    statistics.record(START, { latencyMs: 10, firstTokenMs: 4 });
    statistics.record(START, { latencyMs: 5, failure: 'cut' });
    statistics.record(START + 1, { latencyMs: 5, failure: 'cut' });
    statistics.record(START + 2, { latencyMs: 5, failure: 'timeout' });
    statistics.record(START + 3, { latencyMs: 5, failure: 'aborted' });
    expect(statistics.recent(START + 4)).toEqual({
      requests: 5,
      cancelled: 1,
      failures: { cut: 2, timeout: 1 },
      latenciesMs: [10],
      firstTokensMs: [4],
      lastSuccessAt: START,
      lastFailure: { kind: 'timeout', at: START + 2 },
    });
  });

  it('forgets what is more than five minutes old, but not the last failure', () => {
    const statistics = new ModelStatistics();
    statistics.record(START, { latencyMs: 10 });
    statistics.record(START, { latencyMs: 10, failure: 'cut' });
    statistics.record(START + 4 * 60_000, { latencyMs: 20 });
    const recent = statistics.recent(START + 6 * 60_000);
    expect(recent).toMatchObject({ requests: 1, failures: {}, latenciesMs: [20] });
    expect(recent.lastFailure).toEqual({ kind: 'cut', at: START });
  });

  it('keeps a bounded number of durations and exact counts', () => {
    const statistics = new ModelStatistics();
    for (let count = 0; count < 1000; count++) statistics.record(START, { latencyMs: count });
    const { requests, latenciesMs } = statistics.recent(START);
    expect([requests, latenciesMs.length, Math.min(...latenciesMs)]).toEqual([1000, 256, 744]);
  });
});

describe(together.name, () => {
  it('adds counts and keeps the latest failure', () => {
    const [one, other] = [new ModelStatistics(), new ModelStatistics()];
    one.record(START, { latencyMs: 1 });
    one.record(START + 5, { latencyMs: 1, failure: 'cut' });
    other.record(START + 2, { latencyMs: 3, failure: 'cut' });
    other.record(START + 2, { latencyMs: 3, failure: 'timeout' });
    expect(together([one.recent(START + 9), other.recent(START + 9)])).toMatchObject({
      requests: 4,
      failures: { cut: 2, timeout: 1 },
      lastSuccessAt: START,
      lastFailure: { kind: 'cut', at: START + 5 },
    });
    expect(together([])).toMatchObject({ requests: 0, lastFailure: undefined, lastSuccessAt: undefined });
  });
});

describe(percentile.name, () => {
  it.each([
    [50, 50],
    [95, 95],
    [100, 100],
    [0, 1],
  ])('p%d of 1 to 100 is %d', (percent, value) => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(values, percent)).toBe(value);
  });

  it('knows none without values', () => expect(percentile([], 50)).toBeUndefined());
});
