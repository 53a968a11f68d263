import type { AppConfig } from '../../../src/config/index';
import type { DurableEngine } from '../../../src/durable/index';
import type { CompletionPipeline } from '../../../src/execution/index';
import { DurableSteps } from '../../../src/projects/runs/durable-steps';
import { EarlierResults } from '../../../src/projects/runs/earlier-results.service';
import { emptyAnswer, failureOf } from '../../../src/projects/runs/failure';
import type { TaskParts } from '../../../src/projects/runs/task-parts.service';
import type { WorkRepository } from '../../../src/projects/runs/work.repository';
import { CircuitOpenError, UpstreamBusyError } from '../../../src/providers/index';

describe(emptyAnswer.name, () => {
  it.each<[string | null, boolean, object]>([
    [null, false, { exitReason: 'retries', retry: { isCounted: true } }],
    ['stop', false, { exitReason: 'retries', retry: { isCounted: true } }],
    ['length', false, { exitReason: 'max_tokens', retry: null }],
    ['length', true, { exitReason: 'budget', retry: null }],
    ['content_filter', false, { exitReason: 'error', retry: null }],
  ])(
    'is asked for again unless it said why: %s, cut by the budget: %s',
    (finishReason, isCutByBudget, expected) => {
      expect(emptyAnswer({ finishReason, isCutByBudget })).toMatchObject(expected);
    },
  );
});

describe(failureOf.name, () => {
  it.each([
    ['breaker', new CircuitOpenError({ provider: 'openai', reason: 'rate_limited', retryAfterMs: 700 })],
    [
      'capacity',
      new UpstreamBusyError('full', {
        provider: 'openai',
        model: 'openai/gpt',
        scope: 'openai',
        limit: 'concurrency',
        retryAfterMs: 700,
      }),
    ],
  ])('uses no retry up when our own %s sent nothing', (_name, error) => {
    expect(failureOf(error).retry).toEqual({ isCounted: false, afterMs: 700 });
  });
});

describe(EarlierResults.name, () => {
  it('summarises nothing for the sake of a few words', () => {
    const config = { vars: { TASK_CONTEXT_CHARS: 3000 } } as AppConfig;
    const earlier = new EarlierResults({} as WorkRepository, {} as CompletionPipeline, config);
    const results = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ id: String(index), title: '', length: 5000 }));
    expect(earlier.tooLong(results(3))).toHaveLength(3);
    expect(earlier.tooLong(results(4))).toEqual([]);
  });
});

describe(DurableSteps.name, () => {
  const begun = { maxRounds: 5, timeoutMs: 60_000, long: [] };
  const run = { taskId: 'task', workflowId: 'task:1' };

  afterEach(() => jest.useRealTimers());

  it('counts its time from where it goes on', () => {
    jest.useFakeTimers({ now: 1_000_000 });
    const steps = new DurableSteps({} as DurableEngine, {} as TaskParts, run, begun);
    expect(steps.limits).toEqual({ maxRounds: 5, deadlineAt: 1_060_000 });
  });

  it('summarises four results at once at most, in an order of its own', async () => {
    let [now, most] = [0, 0];
    const names: string[] = [];
    const engine = {
      step: async (name: string) => {
        names.push(name);
        now += 1;
        most = Math.max(most, now);
        await Promise.resolve();
        now -= 1;
      },
    } as unknown as DurableEngine;
    const long = Array.from({ length: 10 }, (_, index) => ({ id: String(index), share: 2000 }));
    await new DurableSteps(engine, {} as TaskParts, run, { ...begun, long }).summarise();
    expect(most).toBe(4);
    expect(names).toEqual(long.map(({ id }) => `earlier-${id}`));
  });
});
