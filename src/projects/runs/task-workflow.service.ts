import { Injectable } from '@nestjs/common';
import type { SqlExecutor } from '../../common/index';
import { AppConfig } from '../../config/index';
import { DurableEngine } from '../../durable/index';
import { type Ending, TaskTransitions } from '../tasks/task-transitions';
import { Dispatcher, TASK_QUEUE, TASK_WORKFLOW } from './dispatcher.service';
import { type Begun, DurableSteps, judge, patiently } from './durable-steps';
import { type RoundsEnd, TaskRounds } from './task-rounds.service';
import { TaskParts } from './task-parts.service';
import type { Work } from './work.repository';

type TaskInput = { readonly taskId: string; readonly workflowId: string };

type Beginning = { readonly next: 'go'; readonly begun: Begun } | { readonly next: 'answer' } | RoundsEnd;

/** After the transaction: when the dispatcher shall look again. */
type Closed = { readonly retryInMs: number | null };

const NOW: Closed = { retryInMs: null };

/** One attempt at a task, as a durable run: begins it, does its rounds, and ends it in one transaction. */
@Injectable()
export class TaskWorkflow {
  constructor(
    private readonly engine: DurableEngine,
    private readonly parts: TaskParts,
    private readonly transitions: TaskTransitions,
    private readonly rounds: TaskRounds,
    private readonly dispatcher: Dispatcher,
    private readonly config: AppConfig,
  ) {
    engine.queue(TASK_QUEUE, { perNode: config.vars.TASK_CONCURRENCY_PER_NODE });
    engine.workflow<TaskInput, null>(TASK_WORKFLOW, (input) => this.run(input));
  }

  private async run(input: TaskInput): Promise<null> {
    const beginning = await this.engine.step<Beginning>('begin', (signal) => this.begin(input, signal));
    if (beginning.next === 'go' && !(await this.start(input))) return null;
    const end = beginning.next === 'go' ? await this.work(input, beginning.begun) : beginning;
    if (end.next === 'taken') return null;
    const { retryInMs } = await this.engine.fenced<Closed>('end', (tx) => this.close(tx, input, end));
    if (retryInMs === null) this.dispatcher.wake();
    else this.dispatcher.wakeIn(retryInMs);
    return null;
  }

  /** Told once, however often the workflow is begun. False: the task is somebody else's by now. */
  private async start({ taskId, workflowId }: TaskInput): Promise<boolean> {
    return await this.engine.fenced('start', (tx) => this.transitions.start(tx, taskId, workflowId));
  }

  /** Who does it, for how long, and with what. */
  private async begin(input: TaskInput, signal: AbortSignal): Promise<Beginning> {
    const { taskId, workflowId } = input;
    const work = await patiently(signal, () => this.parts.work.find(taskId));
    if (work?.task.state !== 'running' || work.task.workflowId !== workflowId) return { next: 'taken' };
    if (work.runStatus !== 'running') return { next: 'paused' };
    try {
      const agent = await patiently(signal, () => this.parts.callers.agent(work, signal));
      if (agent.mode === 'interactive') return { next: 'answer' };
      return { next: 'go', begun: await this.begun(work, agent.limits, signal) };
    } catch (error) {
      return { next: 'failed', failure: await judge(error, signal, this.parts.callers) };
    }
  }

  private async begun(
    { task }: Work,
    limits: { readonly maxRounds: number; readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<Begun> {
    const dependencies = await patiently(signal, () => this.parts.work.dependencies(task.id));
    const timeoutMs = Math.min(limits.timeoutMs, this.config.vars.TASK_TIMEOUT_MS);
    return {
      maxRounds: limits.maxRounds,
      timeoutMs,
      long: this.parts.earlier.tooLong(dependencies),
    };
  }

  private async work(input: TaskInput, begun: Begun): Promise<RoundsEnd> {
    const steps = new DurableSteps(this.engine, this.parts, input, begun);
    const obstacle = await steps.summarise();
    return obstacle === undefined ? await this.rounds.run(steps) : { next: obstacle };
  }

  private async close(
    tx: SqlExecutor,
    { taskId, workflowId }: TaskInput,
    end: RoundsEnd | { readonly next: 'answer' },
  ): Promise<Closed> {
    switch (end.next) {
      case 'done': {
        const { exitReason } = end;
        const ending: Ending = { state: 'succeeded', exitReason, output: 'last' };
        await this.transitions.end(tx, taskId, { workflowId }, ending);
        return NOW;
      }
      case 'answer':
        await this.transitions.waitForAnswer(tx, taskId, workflowId);
        return NOW;
      case 'paused':
        await this.transitions.giveBack(tx, taskId, workflowId);
        return NOW;
      case 'taken':
        return NOW;
      case 'failed':
        return { retryInMs: await this.transitions.fail(tx, { taskId, workflowId }, end.failure) };
    }
  }
}
