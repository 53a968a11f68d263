import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { AppConfig } from '../../config/index';
import { Notifications } from '../../database/index';
import { DurableEngine, type Start } from '../../durable/index';
import { BackgroundLoop } from '../../observability/index';
import { type ClaimedTask, DispatchRepository, TASKS_CHANNEL } from './dispatch.repository';

/** Should a wake be lost. */
const LOOK_MS = 1000;
/** Timers know no longer time. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Of one transaction, which holds every other dispatcher up. */
const BATCH = 50;

export const TASK_WORKFLOW = 'task';
export const TASK_QUEUE = 'tasks';

/**
 * Starts a durable run for each task that is ready, as far as the limits allow. `tasks.state = 'running'` is the slot: it
 * is taken in the transaction that starts the run. Only where PROJECT_WORKER is on.
 */
@Injectable()
export class Dispatcher implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop = new BackgroundLoop('dispatching tasks', LOOK_MS, () => this.round());
  private readonly retries = new Set<NodeJS.Timeout>();

  constructor(
    private readonly repository: DispatchRepository,
    private readonly engine: DurableEngine,
    private readonly notifications: Notifications,
    private readonly config: AppConfig,
  ) {}

  onModuleInit(): void {
    this.notifications.on(TASKS_CHANNEL, () => this.wake());
    this.notifications.onReconnect(() => this.wake());
  }

  onApplicationBootstrap(): void {
    if (this.config.vars.PROJECT_WORKER === 'off') return;
    this.loop.start();
    this.wake();
  }

  async beforeApplicationShutdown(): Promise<void> {
    for (const timer of this.retries) clearTimeout(timer);
    await this.loop.stop();
  }

  /** Something is ready, or a slot is free. */
  wake(): void {
    this.loop.wake();
  }

  /** A task may be tried again then. */
  wakeIn(ms: number): void {
    const timer = setTimeout(
      () => {
        this.retries.delete(timer);
        this.wake();
      },
      Math.min(ms, MAX_TIMER_MS),
    ).unref();
    this.retries.add(timer);
  }

  /** Starts what may be started now. */
  async round(): Promise<void> {
    if (await this.repository.hasWork()) await this.startAll();
  }

  private async startAll(): Promise<void> {
    const { TASK_CONCURRENCY: inAll, TASK_CONCURRENCY_PER_OWNER: perOwner } = this.config.vars;
    for (;;) {
      const count = await this.repository.claim({ inAll, perOwner, batch: BATCH }, (tx, tasks) =>
        this.engine.enqueueAll(tx, TASK_WORKFLOW, tasks.map(toStart)),
      );
      if (count < BATCH) return;
    }
  }
}

function toStart({ id, workflowId }: ClaimedTask): Start {
  return { id: workflowId, queue: TASK_QUEUE, input: { taskId: id, workflowId } };
}
