import { PerformanceTable } from '../../../src/scoring/index';
import { type MeasuredModel, roundedPerformance } from '../../../src/scoring/performance/rounded-performance';

const measured = (more: Partial<MeasuredModel> = {}): MeasuredModel => ({
  model: 'openai/a',
  attempts: 100,
  failureShare: 0,
  streams: 50,
  firstTokenMs: 400,
  streamTokensPerSecond: 90,
  answers: 50,
  answerTokensPerSecond: 60,
  ...more,
});
const table = (models: readonly MeasuredModel[], before = PerformanceTable.empty) =>
  roundedPerformance(before, models);

describe(roundedPerformance.name, () => {
  it('keeps speeds within 5 % and shares within 0.01', () => {
    for (const value of [1, 7, 33, 150, 999, 12_345]) {
      const figures = table([
        measured({ firstTokenMs: value, streamTokensPerSecond: value, failureShare: 0.333 }),
      ]).of('openai/a');
      expect(Math.abs((figures?.firstTokenMs ?? 0) / value - 1)).toBeLessThan(0.056);
      expect(figures?.tokensPerSecond).toBe(figures?.firstTokenMs);
      expect(figures?.failureShare).toBe(0.34);
    }
  });

  it('goes by streams where there are enough, else by answers in one piece, else says nothing of speed', () => {
    expect(table([measured()]).of('openai/a')).toMatchObject({ firstTokenMs: expect.any(Number) });
    const whole = table([measured({ streams: 9 })]).of('openai/a');
    expect(whole?.firstTokenMs).toBeUndefined();
    expect(Math.abs((whole?.tokensPerSecond ?? 0) - 60)).toBeLessThan(4);
    expect(table([measured({ streams: 9, answers: 9, failureShare: 0.2 })]).of('openai/a')).toEqual({
      failureShare: 0.2,
    });
  });

  it('says nothing of a model with fewer than ten attempts, and of one of which nothing is to be said', () => {
    const few = measured({ attempts: 9, failureShare: 0.5 });
    expect(table([few])).toBe(PerformanceTable.empty);
    expect(table([measured({ streams: 0, answers: 0 })])).toBe(PerformanceTable.empty);
  });

  it('is the same version for the same figures, whatever their order, and another for others', () => {
    const [a, b] = [measured(), measured({ model: 'openai/b', firstTokenMs: 900 })];
    expect(table([a, b]).version).toBe(table([b, a]).version);
    expect(table([a]).version).not.toBe(table([a, b]).version);
    expect(table([measured({ firstTokenMs: 500 })]).version).not.toBe(table([a]).version);
  });

  it('can be stored and read back', () => {
    const stored = JSON.stringify(table([measured(), measured({ model: 'openai/b' })]).content);
    const read = PerformanceTable.of(JSON.parse(stored));
    expect(read.version).toBe(table([measured(), measured({ model: 'openai/b' })]).version);
  });

  it('stays while what is measured swings about a step, and moves once it is away', () => {
    for (let value = 50; value < 5000; value *= 1.03) {
      const first = table([measured({ firstTokenMs: value, failureShare: 0.03 })]);
      const near = [0.98, 1.02].map((swing) =>
        table([measured({ firstTokenMs: value * swing, failureShare: 0.03 + (swing - 1) / 5 })], first),
      );
      expect(near.map(({ version }) => version)).toEqual([first.version, first.version]);
      const away = table([measured({ firstTokenMs: value * 1.2, failureShare: 0.03 })], first);
      expect(away.version).not.toBe(first.version);
    }
  });

  it('forgets failures entirely', () => {
    const failing = table([measured({ failureShare: 0.02 })]);
    expect(failing.of('openai/a')?.failureShare).toBe(0.02);
    expect(table([measured({ failureShare: 0.004 })], failing).of('openai/a')?.failureShare).toBe(0);
  });
});
