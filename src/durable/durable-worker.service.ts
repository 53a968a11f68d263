import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { within } from '../common/index';
import { AppConfig } from '../config/index';
import { DbosRunner } from './dbos/dbos-runner.service';
import { Departure } from './departure';
import { Membership } from './membership';
import { RunningSteps } from './running-steps';
import { TakeOver } from './take-over';

const DRAIN_LOOK_MS = 20;
/** The membership session may be away, or a row locked. */
const HAND_OVER_LIMIT_MS = 500;
/** For steps that were aborted, to book what they have used. */
const ABORTED_STEPS_MS = 300;

/**
 * Carries out durable runs in this process, where PROJECT_WORKER is on. The application starts it when everything that
 * runs may use is there, and stops it before anything of that.
 */
@Injectable()
export class DurableWorker {
  private isStarted = false;
  private draining?: Promise<void>;

  constructor(
    private readonly config: AppConfig,
    private readonly membership: Membership,
    private readonly takeOver: TakeOver,
    private readonly steps: RunningSteps,
    private readonly departure: Departure,
    private readonly runner: DbosRunner,
  ) {}

  async start(): Promise<void> {
    if (this.config.vars.PROJECT_WORKER === 'off') return;
    this.isStarted = true;
    await this.membership.join();
    await this.runner.launch(this.membership.nodeId, this.config.vars.DURABLE_POLL_MS);
    this.steps.start();
    this.takeOver.start();
  }

  /**
   * Takes nothing more. Steps under way may end, for DURABLE_DRAIN_MS at most; what has not ended then goes to the other
   * processes at once, or waits for the next start of one.
   */
  async drain(): Promise<void> {
    if (!this.isStarted) return;
    this.draining ??= this.giveUpRuns();
    await this.draining;
  }

  async stop(): Promise<void> {
    if (!this.isStarted) return;
    await this.drain();
    this.isStarted = false;
    await within(ABORTED_STEPS_MS, this.steps.untilIdle());
    await this.steps.stop();
    await this.runner.shutDown();
    await this.membership.leave();
  }

  private async giveUpRuns(): Promise<void> {
    this.departure.begin();
    await this.takeOver.stop();
    const deadline = performance.now() + this.config.vars.DURABLE_DRAIN_MS;
    while (!this.departure.isOver && performance.now() < deadline) await delay(DRAIN_LOOK_MS);
    // What is aborted before it has changed hands is the end of its run. What stays is taken when this process is gone.
    if (await this.haveChangedHands()) this.steps.abortAll();
  }

  private async haveChangedHands(): Promise<boolean> {
    const deadline = performance.now() + HAND_OVER_LIMIT_MS;
    for (let leftMs = HAND_OVER_LIMIT_MS; leftMs > 0; leftMs = deadline - performance.now()) {
      const handOver = this.takeOver.handOver().then(
        () => true,
        () => false,
      );
      if (await within(leftMs, handOver)) return true;
      await delay(DRAIN_LOOK_MS);
    }
    return false;
  }
}
