import { Injectable } from '@nestjs/common';
import { QueueWake } from './dbos/queue-wake.service';
import { RunHandedOverError } from './durable.errors';
import { RunningSteps } from './running-steps';
import { TakeOver } from './take-over';

/** A process that is asked to stop: each of its runs goes to the others at its next step, between two purchases. */
@Injectable()
export class Departure {
  private isUnderWay = false;
  private readonly gone = new Set<string>();

  constructor(
    private readonly takeOver: TakeOver,
    private readonly wake: QueueWake,
    private readonly steps: RunningSteps,
  ) {}

  begin(): void {
    this.isUnderWay = true;
    this.wake.close();
  }

  /** Nothing that was begun here is left. */
  get isOver(): boolean {
    return this.wake.runningCount === 0;
  }

  /**
   * Every step passes here.
   * @throws RunHandedOverError when the run has been given away
   */
  async passBy(runId: string): Promise<void> {
    if (!this.isUnderWay) return;
    if (!this.gone.has(runId) && (await this.giveAway(runId))) this.gone.add(runId);
    if (this.gone.has(runId)) throw new RunHandedOverError(runId);
  }

  /** Not while another of its steps is under way; and where PostgreSQL is away nobody can take it: it goes on. */
  private async giveAway(runId: string): Promise<boolean> {
    if (this.steps.has(runId)) return false;
    try {
      return (await this.takeOver.handOver(runId)) > 0;
    } catch {
      return false;
    }
  }
}
