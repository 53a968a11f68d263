/** What is done to the processes of a proof while their tasks run, and when. */
import { setTimeout as delay } from 'node:timers/promises';
import type { PrivateServer } from '../database/private-server';
import type { Random } from './random';
import type { ServiceCluster } from './service-cluster';

/** Times in epoch milliseconds. */
export interface Disturbance {
  readonly kind: 'kill' | 'freeze';
  readonly slot: number;
  readonly at: number;
}

/** PostgreSQL was away. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

export interface ChaosOptions {
  readonly slots: number;
  /** From one kill to the next. */
  readonly everyMs: number;
  readonly frozenMs: number;
}

/** Kills one process after the other at random; the freeze and the outage come when they are asked for. One is always well. */
export class ProjectChaos {
  readonly disturbances: Disturbance[] = [];
  readonly outages: Outage[] = [];
  private readonly busy = new Set<number>();
  private readonly under: Promise<void>[] = [];
  private isRunning = true;
  /** Infinity while PostgreSQL is away. */
  private lastOutageAt = -Infinity;
  private readonly loop: Promise<void>;

  constructor(
    private readonly cluster: ServiceCluster,
    private readonly postgres: PrivateServer,
    private readonly random: Random,
    private readonly options: ChaosOptions,
  ) {
    this.loop = this.killAgainAndAgain();
    this.loop.catch(() => undefined);
  }

  /** A process stands still for longer than its lease. */
  async freeze(): Promise<void> {
    const slot = this.victim();
    if (slot === undefined) return;
    this.busy.add(slot);
    this.cluster.freeze(slot);
    this.disturbances.push({ kind: 'freeze', slot, at: Date.now() });
    await delay(this.options.frozenMs);
    await this.cluster.thaw(slot);
    this.busy.delete(slot);
  }

  /** PostgreSQL ends as if it crashed, and comes back. */
  async restartPostgres(): Promise<void> {
    const from = Date.now();
    this.lastOutageAt = Infinity;
    await this.postgres.shutDown('immediate');
    await this.postgres.startAgain();
    this.lastOutageAt = Date.now();
    this.outages.push({ from, to: this.lastOutageAt });
  }

  /** No more kills; resolves when every process is up. */
  async stop(): Promise<void> {
    this.isRunning = false;
    await this.loop;
    await Promise.all(this.under);
  }

  private async killAgainAndAgain(): Promise<void> {
    while (this.isRunning) {
      await delay(this.options.everyMs);
      const slot = this.victim();
      if (slot === undefined || !this.isRunning) continue;
      this.busy.add(slot);
      const restarted = this.killAndRestart(slot);
      restarted.catch(() => undefined);
      this.under.push(restarted);
    }
  }

  private async killAndRestart(slot: number): Promise<void> {
    this.disturbances.push({ kind: 'kill', slot, at: Date.now() });
    await this.cluster.kill(slot);
    await this.restart(slot);
    this.busy.delete(slot);
  }

  /** A process that loses PostgreSQL while it boots ends, and whoever watches over it starts it again. */
  private async restart(slot: number): Promise<void> {
    const from = Date.now();
    try {
      await this.cluster.restart(slot);
    } catch (error) {
      if (this.lastOutageAt < from) throw error;
      await this.restart(slot);
    }
  }

  private victim(): number | undefined {
    const well = Array.from({ length: this.options.slots }, (_, slot) => slot).filter(
      (slot) => !this.busy.has(slot),
    );
    return well.length > 1 ? this.random.pick(well) : undefined;
  }
}
