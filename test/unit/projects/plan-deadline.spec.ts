import type { AppConfig } from '../../../src/config/index';
import type { RequestContext } from '../../../src/common/index';
import type { DurableEngine } from '../../../src/durable/index';
import type { CompletionPipeline } from '../../../src/execution/index';
import type { PlansRepository } from '../../../src/projects/plans/plan.repository';
import { PlannerDesk } from '../../../src/projects/plans/planner-desk';
import { Planner } from '../../../src/projects/plans/planner.service';
import type { WorkCall } from '../../../src/projects/work-context';
import { aContext } from '../../support/factories';

const TEN_MINUTES_MS = 600_000;

type DeskParts = ConstructorParameters<typeof PlannerDesk>;

/** Its model is asked and says nothing until the call is aborted. */
function aPlanner(): { readonly planner: Planner; readonly asked: Promise<void> } {
  const waiting = Promise.withResolvers<void>();
  const pipeline = {
    run: ({ signal }: RequestContext) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        waiting.resolve();
      }),
  } as unknown as CompletionPipeline;
  const contexts = {
    open: (_: unknown, { signal, deadlineAt }: WorkCall) => aContext({ signal, deadlineAt }),
  };
  const projects = { find: () => ({ name: 'Shop', requirements: 'Sell soap' }) };
  const registry = { list: () => [], find: () => ({}) };
  const desk = new PlannerDesk(
    ...([contexts, projects, registry, { build: () => [] }] as unknown as DeskParts),
  );
  const open = { plan: { id: 'plan', projectId: 'project' }, asked: { maxTasks: 5 }, answers: {} };
  const plans = { open: () => open } as unknown as PlansRepository;
  const config = { vars: { PLANNER_MODEL: 'auto:best' } } as AppConfig;
  return {
    planner: new Planner(
      config,
      { confirm: () => Promise.resolve() } as DurableEngine,
      pipeline,
      desk,
      plans,
    ),
    asked: waiting.promise,
  };
}

describe(Planner.name, () => {
  beforeEach(() => jest.useFakeTimers());

  afterEach(() => jest.useRealTimers());

  it('aborts a model that needs longer than a planning may, and asks nobody later', async () => {
    const { planner, asked } = aPlanner();
    const verdict = planner.ask('plan', { step: 'ask' }, new AbortController().signal);
    await asked;
    jest.advanceTimersByTime(TEN_MINUTES_MS);
    expect(await verdict).toEqual({
      kind: 'failed',
      error: { code: 'DEADLINE_EXCEEDED', message: 'Writing the plan took longer than it may' },
    });
  });

  it('says nothing of a run that is ended before', async () => {
    const { planner, asked } = aPlanner();
    const controller = new AbortController();
    const verdict = planner.ask('plan', { step: 'ask' }, controller.signal);
    await asked;
    const ended = new Error('The run was ended');
    controller.abort(ended);
    await expect(verdict).rejects.toBe(ended);
  });
});
