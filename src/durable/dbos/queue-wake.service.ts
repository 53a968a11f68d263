import { Injectable } from '@nestjs/common';
import { Notifications } from '../../database/index';
import { Membership } from '../membership';
import { RunningSteps } from '../running-steps';
import { RUNS_LOST, WAKE_CHANNEL } from '../wake-channel';
import { DbosSdk, type Executor, type PolledQueue } from './dbos-sdk';
import { RunRegistry } from './run-registry';

/** From the end of a body until DBOS has written its outcome and counts it no more. */
const SLOT_FREE_MS = 15;

/**
 * Looks at a queue in the moment something was put into it, and when a full one has a free place, instead of at the next
 * poll. Takes nothing while this process may be taken for dead, or is about to leave.
 */
@Injectable()
export class QueueWake {
  private readonly wanted = new Set<string>();
  private readonly full = new Set<string>();
  private readonly polls = new Map<string, Promise<boolean>>();
  private isOpen = false;

  constructor(
    private readonly sdk: DbosSdk,
    private readonly notifications: Notifications,
    private readonly membership: Membership,
    private readonly steps: RunningSteps,
    private readonly registry: RunRegistry,
  ) {
    this.notifications.onReconnect(() => this.pollAll());
  }

  /** Before the launch. From here on each queue is polled by one at a time, and within its limit here. */
  open(): void {
    const { queueRunner } = this.sdk.now;
    const poll = Object.getPrototypeOf(queueRunner).pollQueue as typeof queueRunner.pollQueue;
    queueRunner.pollQueue = (executor, queue) =>
      this.inTurn(queue.name, () => this.poll(executor, queue, poll.bind(queueRunner)));
    this.notifications.on(WAKE_CHANNEL, (payload) => this.hear(payload));
    this.isOpen = true;
  }

  /** Nothing is taken any more; what is still carried out goes on hearing that it was cancelled. */
  close(): void {
    this.isOpen = false;
  }

  /** Runs of this process that have not ended. */
  get runningCount(): number {
    const database = this.sdk.executor?.systemDatabase;
    if (!database) return 0;
    return [...this.registry.queues.keys()].reduce(
      (sum, queue) => sum + database.countRunningWorkflowsForQueue(queue),
      0,
    );
  }

  /** A body has ended. */
  noteEnd(queue: string): void {
    if (this.full.has(queue)) setTimeout(() => this.pollSoon(queue), SLOT_FREE_MS).unref();
  }

  private hear(payload: string): void {
    if (payload === RUNS_LOST) this.steps.wake();
    else this.pollSoon(payload);
  }

  private pollAll(): void {
    if (!this.isOpen) return;
    this.steps.wake();
    for (const queue of this.registry.queues.keys()) this.pollSoon(queue);
  }

  /** Many wishes before it comes to it are one. */
  private pollSoon(name: string): void {
    if (this.wanted.has(name)) return;
    this.wanted.add(name);
    setImmediate(() => {
      this.wanted.delete(name);
      const { executor } = this.sdk;
      const { queueRunner } = this.sdk.now;
      const state = queueRunner.states.get(name);
      if (this.isOpen && state && executor?.initialized) void queueRunner.pollQueue(executor, state.queue);
    });
  }

  /** Two polls at once would both fill the same places. */
  private inTurn(name: string, work: () => Promise<boolean>): Promise<boolean> {
    const next = (this.polls.get(name) ?? Promise.resolve(false)).catch(() => false).then(work);
    this.polls.set(name, next);
    return next;
  }

  private async poll(
    executor: Executor,
    queue: PolledQueue,
    poll: (executor: Executor, queue: PolledQueue) => Promise<boolean>,
  ): Promise<boolean> {
    const limits = this.registry.queues.get(queue.name);
    // DBOS's own queue is for runs without one: there are none.
    if (!limits || !this.isOpen || !this.membership.isCurrent) return false;
    // The stored limit is that of the process which started last.
    const limit = limits.perNode;
    queue.workerConcurrency = limit;
    const hasMetOthers = await poll(executor, queue);
    const running = executor.systemDatabase.countRunningWorkflowsForQueue(queue.name);
    if (running >= (limit ?? Infinity)) this.full.add(queue.name);
    else this.full.delete(queue.name);
    return hasMetOthers;
  }
}
