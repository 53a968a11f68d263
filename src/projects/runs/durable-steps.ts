import { setTimeout as delay } from 'node:timers/promises';
import type { JsonObject, JsonValue, RequestContext } from '../../common/index';
import { type DurableEngine, RunHandedOverError } from '../../durable/index';
import { toServiceUnavailable } from '../../errors/index';
import { type Failure, failureOf, isOwnOutage } from './failure';
import { callsOf } from './round-request';
import type { TaskParts } from './task-parts.service';
import {
  type KeptRound,
  type KeptStep,
  type Material,
  type Obstacle,
  roundStep,
  type StepHost,
} from './steps';
import { type KeptSummary, type LongResult, summaryStep } from './earlier-results.service';
import type { Work } from './work.repository';

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2000;

/** What the beginning of a workflow has found out, as its journal keeps it. */
export type Begun = {
  readonly maxRounds: number;
  readonly timeoutMs: number;
  readonly long: readonly LongResult[];
};

const SUMMARIES_AT_ONCE = 4;

/**
 * The steps of one durable run of a task. What it works with is read in the first step that is not journalled yet. Its
 * time counts from here, so that a run which was handed over has what it was given: nobody worked on it meanwhile.
 */
export class DurableSteps implements StepHost {
  readonly limits: StepHost['limits'];
  private loaded?: Promise<{ readonly work: Work; readonly material: Material }>;

  constructor(
    private readonly engine: DurableEngine,
    private readonly parts: TaskParts,
    private readonly run: { readonly taskId: string; readonly workflowId: string },
    private readonly begun: Begun,
  ) {
    this.limits = { maxRounds: begun.maxRounds, deadlineAt: Date.now() + begun.timeoutMs };
  }

  step<T extends JsonValue>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.engine.step(name, work);
  }

  async material(signal: AbortSignal): Promise<Material> {
    return (await this.load(signal)).material;
  }

  async context(step: string, signal: AbortSignal): Promise<RequestContext> {
    const { work } = await this.load(signal);
    await patiently(signal, () => this.engine.confirm());
    return await this.parts.callers.context(work, { step, signal, deadlineAt: this.limits.deadlineAt });
  }

  async obstacle(signal: AbortSignal): Promise<Obstacle | undefined> {
    const { taskId, workflowId } = this.run;
    const standing = await patiently(signal, () => this.parts.work.standing(taskId, workflowId));
    if (!standing?.isMine) return 'taken';
    return standing.run === 'running' ? undefined : 'paused';
  }

  async keep(step: KeptStep): Promise<void> {
    const { work } = await this.loadedWork();
    const { task } = work;
    await this.engine.guarded(async (tx) => {
      const isNew = await this.parts.work.keep(tx, task, step);
      if (!isNew || !goesOn(step)) return;
      const what = `“${task.title}”: round ${step.number} was answered`;
      await this.parts.events.append(tx, task.runId, [
        { type: 'task.progress', what, task: { ...task, state: 'running' }, more: { round: step.number } },
      ]);
    });
  }

  /** Leaving is no failure, and neither is that somebody cancelled it or another process has it. */
  judge(error: unknown, signal: AbortSignal): Promise<Failure> {
    return judge(error, signal, this.parts.callers);
  }

  /**
   * Summarises what is too long among the earlier results. Where that fails, they are cut.
   * @returns why the rounds are not begun
   */
  async summarise(): Promise<Obstacle | undefined> {
    const { long: all } = this.begun;
    for (let next = 0; next < all.length; next += SUMMARIES_AT_ONCE) {
      const ends = await Promise.all(
        all
          .slice(next, next + SUMMARIES_AT_ONCE)
          .map((long) => this.step(summaryStep(long.id), (signal) => this.summariseOne(long, signal))),
      );
      const obstacle = ends.find((end) => end === 'paused' || end === 'taken');
      if (obstacle !== undefined) return obstacle;
    }
    return undefined;
  }

  /** What kept it from being summarised: an obstacle, or the code of a failure. */
  private async summariseOne(long: LongResult, signal: AbortSignal): Promise<string | null> {
    const step = summaryStep(long.id);
    const { taskId } = this.run;
    try {
      const work = await workOf(this.parts, taskId, signal);
      if ((await patiently(signal, () => this.parts.work.steps(work.task))).has(step)) return null;
      const obstacle = await this.obstacle(signal);
      if (obstacle !== undefined) return obstacle;
      await patiently(signal, () => this.engine.confirm());
      const { deadlineAt } = this.limits;
      const ctx = await this.parts.callers.context(work, { step, signal, deadlineAt });
      await this.parts.earlier.summarise(ctx, { taskId, long }, async (result: KeptSummary) => {
        await this.engine.guarded(async (tx) => {
          await this.parts.work.keep(tx, work.task, { step, number: 0, requestId: ctx.requestId, result });
        });
      });
      return null;
    } catch (error) {
      return (await this.judge(error, signal)).code;
    }
  }

  private load(signal: AbortSignal): Promise<{ readonly work: Work; readonly material: Material }> {
    this.loaded ??= this.read(signal).catch((error: unknown) => {
      this.loaded = undefined;
      throw error;
    });
    return this.loaded;
  }

  private async loadedWork(): Promise<{ readonly work: Work }> {
    if (!this.loaded) throw new Error('Nothing is kept before anything was read');
    return await this.loaded;
  }

  private async read(signal: AbortSignal): Promise<{ readonly work: Work; readonly material: Material }> {
    const { parts } = this;
    const work = await workOf(parts, this.run.taskId, signal);
    const { task, project } = work;
    const kept = await patiently(signal, () => parts.work.steps(task));
    const agent = await patiently(signal, () => parts.callers.agent(work, signal));
    const earlier = await patiently(signal, () => parts.earlier.of(task.id, summariesIn(kept, this.begun)));
    const messages = parts.messages.build(agent, task, { project, earlier });
    return { work, material: { agent, task, messages, kept } };
  }
}

async function workOf({ work }: TaskParts, taskId: string, signal: AbortSignal): Promise<Work> {
  const found = await patiently(signal, () => work.find(taskId));
  if (!found) throw new Error(`Task ${taskId} was deleted`);
  return found;
}

/**
 * What a failure of a step means for its task. A process that leaves takes no new work: the step then waits until its run
 * has changed hands, because what it throws before counts as its outcome.
 */
export async function judge(
  error: unknown,
  signal: AbortSignal,
  { isLeaving }: { readonly isLeaving: boolean },
): Promise<Failure> {
  signal.throwIfAborted();
  if (error instanceof RunHandedOverError) throw error;
  return isLeaving && isOwnOutage(error) ? await untilAborted(signal) : failureOf(error);
}

async function untilAborted(signal: AbortSignal): Promise<never> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  throw signal.reason as Error;
}

/** Repeats a reading while PostgreSQL is away. */
export async function patiently<T>(signal: AbortSignal, read: () => Promise<T>): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    try {
      return await read();
    } catch (error) {
      if (!toServiceUnavailable(error)) throw error;
    }
    await delay(pauseMs, undefined, { signal });
  }
}

function summariesIn(kept: ReadonlyMap<string, JsonObject>, { long }: Begun): Map<string, KeptSummary> {
  return new Map(
    long.flatMap(({ id }) => {
      const summary = kept.get(summaryStep(id)) as KeptSummary | undefined;
      return summary ? [[id, summary] as const] : [];
    }),
  );
}

/** A round with tool calls: the task goes on after it. */
function goesOn({ step, number, result }: KeptStep): boolean {
  return step === roundStep(number) && callsOf(result as KeptRound).length > 0;
}
