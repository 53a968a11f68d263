import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { BackgroundLoop } from '../observability/index';
import { RunHandedOverError } from './durable.errors';
import { Membership } from './membership';

/** The net behind the notifications. */
const CHECK_INTERVAL_MS = 1000;

const LOST = `
  select mine.id, mine.owner from unnest($1::text[], $2::text[]) as mine (id, owner)
  left join dbos.workflow_status s on s.workflow_uuid = mine.id
  where s.owner_xid is distinct from mine.owner`;

interface LostOwner {
  readonly id: string;
  readonly owner: string;
}

interface RunningStep {
  readonly runId: string;
  readonly owner: string;
  readonly controller: AbortController;
}

/** The steps under way in this process. What they do is aborted when their run is cancelled or is another's now. */
@Injectable()
export class RunningSteps {
  private readonly steps = new Set<RunningStep>();
  private readonly loop = new BackgroundLoop('looking for lost runs', CHECK_INTERVAL_MS, async () => {
    await this.check();
  });
  private whenIdle: (() => void)[] = [];
  /** By the clock of this process: when the newest look that was answered began. */
  private lookedAt = -Infinity;

  constructor(
    private readonly database: DataSource,
    private readonly membership: Membership,
  ) {}

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** Looks now. */
  wake(): void {
    this.loop.wake();
  }

  async track<T>(runId: string, owner: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const step = { runId, owner, controller: new AbortController() };
    this.steps.add(step);
    try {
      return await work(step.controller.signal);
    } finally {
      this.steps.delete(step);
      if (this.steps.size === 0) for (const resolve of this.whenIdle.splice(0)) resolve();
    }
  }

  /**
   * Asks PostgreSQL only where this process may have been taken for dead since it last looked.
   * @throws RunHandedOverError when the run is not the owner's any more
   */
  async confirm(runId: string, owner: string): Promise<void> {
    const { isCurrent, cameBackAt } = this.membership;
    if (isCurrent && this.lookedAt >= cameBackAt) return;
    if ((await this.check()).has(keyOf(runId, owner))) throw new RunHandedOverError(runId);
  }

  has(runId: string): boolean {
    return [...this.steps].some((step) => step.runId === runId);
  }

  abortAll(): void {
    for (const step of this.steps) abort(step);
  }

  /** Resolves when none is under way. */
  untilIdle(): Promise<void> {
    if (this.steps.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.whenIdle.push(resolve));
  }

  /** Aborts the steps whose runs are lost, and tells which these are. */
  private async check(): Promise<ReadonlySet<string>> {
    if (this.steps.size === 0) return new Set();
    const steps = [...this.steps];
    const from = performance.now();
    const rows = await this.database.query<LostOwner[]>(LOST, [
      steps.map(({ runId }) => runId),
      steps.map(({ owner }) => owner),
    ]);
    this.lookedAt = Math.max(this.lookedAt, from);
    // A run may be back here, as another owner, while an old step of it hangs.
    const lost = new Set(rows.map(({ id, owner }) => keyOf(id, owner)));
    for (const step of steps) if (lost.has(keyOf(step.runId, step.owner))) abort(step);
    return lost;
  }
}

function keyOf(runId: string, owner: string): string {
  return `${runId} ${owner}`;
}

function abort({ controller, runId }: RunningStep): void {
  controller.abort(new RunHandedOverError(runId));
}
