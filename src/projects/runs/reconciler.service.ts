import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppConfig } from '../../config/index';
import { DurableEngine, type RunState } from '../../durable/index';
import { BackgroundLoop } from '../../observability/index';
import { type Ending, TaskTransitions } from '../tasks/task-transitions';
import { Dispatcher } from './dispatcher.service';
import { CRASHED, crashed, RUN_FAILED } from './failure';
import { RunReconciliation } from './run-reconciliation';

const LOOK_MS = 5000;
/** Younger changes are still on their way. */
const GRACE_SECONDS = 3;
const BATCH = 500;

const RUNNING = `
  select id, workflow_id as "workflowId", error ->> 'code' as "lastCode" from tasks
  where state = 'running' and updated_at < clock_timestamp() - make_interval(secs => ${GRACE_SECONDS})
  order by updated_at limit ${BATCH}`;

interface RunningTask {
  readonly id: string;
  readonly workflowId: string;
  /** Why it was tried again, when it was. */
  readonly lastCode: string | null;
}

const CANCELLED: Ending = { state: 'cancelled', exitReason: 'cancelled', output: 'all' };

/**
 * Finds tasks that run nowhere: those whose durable run gave up after three crashes, failed, or is missing. Nothing of
 * that happens by itself; this is what keeps a project from standing still when it did. Of tasks that crashed together
 * each is tried once more, one at a time: the one that did it crashes again, and the others go on.
 */
@Injectable()
export class Reconciler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop = new BackgroundLoop('reconciling tasks', LOOK_MS, () => this.round());

  constructor(
    private readonly database: DataSource,
    private readonly engine: DurableEngine,
    private readonly transitions: TaskTransitions,
    private readonly dispatcher: Dispatcher,
    private readonly runs: RunReconciliation,
    private readonly config: AppConfig,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.vars.PROJECT_WORKER === 'on') this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  async round(): Promise<void> {
    const running = await this.database.query<RunningTask[]>(RUNNING);
    if (running.length > 0) await this.check(running);
    await this.runs.endWhatHasEnded();
  }

  private async check(running: readonly RunningTask[]): Promise<void> {
    const statuses = await this.engine.statuses(running.map(({ workflowId }) => workflowId));
    const byId = new Map(statuses.map((status) => [status.id, status.state]));
    const isTogether = statuses.filter(({ state }) => state === 'given_up').length > 1;
    let isChanged = false;
    for (const task of running) {
      const state = byId.get(task.workflowId);
      if (state === 'waiting' || state === 'running') continue;
      await this.settle(task, state, isTogether);
      isChanged = true;
    }
    if (isChanged) this.dispatcher.wake();
  }

  /** @param isTogether several runs were given up, and no one knows which of them it was that killed the process */
  private async settle(task: RunningTask, state: RunState | undefined, isTogether: boolean): Promise<void> {
    const { id: taskId, workflowId } = task;
    await this.database.transaction(async (tx) => {
      switch (state) {
        case 'given_up': {
          const isSure = !isTogether || task.lastCode === CRASHED;
          await this.transitions.fail(tx, { taskId, workflowId }, crashed(isSure));
          return;
        }
        case 'failed':
          await this.transitions.fail(tx, { taskId, workflowId }, RUN_FAILED);
          return;
        case 'cancelled':
          await this.transitions.end(tx, taskId, { workflowId }, CANCELLED);
          return;
        case 'waiting':
        case 'running':
        case 'succeeded':
        case undefined:
          // It is not known how far it came, so it goes on.
          await this.transitions.giveBack(tx, taskId, workflowId);
      }
    });
  }
}
