import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppConfig } from '../../config/index';
import { DurableEngine, type RunStatus as DurableStatus } from '../../durable/index';
import { BackgroundLoop } from '../../observability/index';
import { type Ending, TaskTransitions } from '../tasks/task-transitions';
import { Dispatcher } from './dispatcher.service';
import { RunReconciliation } from './run-reconciliation';

const LOOK_MS = 5000;
/** Younger changes are still on their way. */
const GRACE_SECONDS = 3;
const BATCH = 500;

const RUNNING = `
  select id, workflow_id as "workflowId" from tasks
  where state = 'running' and updated_at < clock_timestamp() - make_interval(secs => ${GRACE_SECONDS})
  order by updated_at limit ${BATCH}`;

interface RunningTask {
  readonly id: string;
  readonly workflowId: string;
}

/**
 * Finds tasks that run nowhere: those whose durable run gave up after three crashes, failed, or is missing. Nothing of
 * that happens by itself; this is what keeps a project from standing still when it did.
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
    const byId = new Map(statuses.map((status) => [status.id, status]));
    let isChanged = false;
    for (const task of running) {
      const status = byId.get(task.workflowId);
      if (status?.state === 'waiting' || status?.state === 'running') continue;
      await this.settle(task, status);
      isChanged = true;
    }
    if (isChanged) this.dispatcher.wake();
  }

  private async settle({ id, workflowId }: RunningTask, status: DurableStatus | undefined): Promise<void> {
    const ending = endingOf(status);
    await this.database.transaction(async (tx) => {
      if (ending) await this.transitions.end(tx, id, { workflowId }, ending);
      else await this.transitions.giveBack(tx, id, workflowId);
    });
  }
}

/** Undefined: it is not known how far it came, so it goes on. */
function endingOf(status: DurableStatus | undefined): Ending | undefined {
  switch (status?.state) {
    case 'given_up': {
      const message = 'The process that carried it out died three times without getting any further';
      return { state: 'failed', exitReason: 'crashed', output: 'all', error: { code: 'CRASHED', message } };
    }
    case 'failed': {
      const message = 'The task could not be carried out; the log of the service says why';
      return { state: 'failed', exitReason: 'error', output: 'all', error: { code: 'INTERNAL', message } };
    }
    case 'cancelled':
      return { state: 'cancelled', exitReason: 'cancelled', output: 'all' };
    case 'waiting':
    case 'running':
    case 'succeeded':
    case undefined:
      return undefined;
  }
}
