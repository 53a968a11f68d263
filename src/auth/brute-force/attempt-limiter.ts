import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AppConfig } from '../../config/index';
import { BackgroundTasks } from '../../observability/index';
import { TooManyAttemptsError } from '../auth.errors';
import { addressGroup, bucketName } from './attempt-buckets';
import { AttemptsRepository } from './attempts.repository';

const MAX_ADDRESSES = 10_000;
const FLUSH_MS = 1000;
const WINDOW_SECONDS = 60;
/** Unknown credentials from one address. */
const LIMIT = 100;

/** One address in one window. */
interface Tally {
  endsAtMs: number;
  /** By all processes together, as PostgreSQL last said. */
  stored: number;
  /** By this process since then. */
  pending: number;
}

/**
 * Bounds how many unknown credentials an address may try. A flood of them must not become a flood of writes: each
 * process counts for itself and adds its count to PostgreSQL once a second, so the limit is exact within a process and
 * a second late across processes. A database that is away changes nothing here.
 */
@Injectable()
export class AttemptLimiter implements OnApplicationShutdown {
  private readonly tallies = new LRUCache<string, Tally>({ max: MAX_ADDRESSES });
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly config: AppConfig,
    private readonly attempts: AttemptsRepository,
    private readonly background: BackgroundTasks,
  ) {}

  /** One look-up in a map, and none while nobody fails. @throws TooManyAttemptsError until the window ends. */
  check(address: string): void {
    const tally = this.full(address);
    if (tally) throw new TooManyAttemptsError(new Date(tally.endsAtMs));
  }

  /** Would `check` throw? */
  isFull(address: string): boolean {
    return this.full(address) !== undefined;
  }

  /** Notes an unknown credential. Never waits and never fails. */
  countFailure(address: string): void {
    const from = addressGroup(address);
    let tally = this.tallies.get(from);
    if (!tally || tally.endsAtMs <= Date.now()) {
      this.tallies.set(
        from,
        (tally = { endsAtMs: Date.now() + WINDOW_SECONDS * 1000, stored: 0, pending: 0 }),
      );
    }
    tally.pending += 1;
    this.timer ??= setTimeout(
      () => this.background.run('attempt-counts', () => this.flush()),
      FLUSH_MS,
    ).unref();
  }

  /** Adds what this process has counted to PostgreSQL, and learns what the others have. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const counted = new Map<string, { readonly tally: Tally; readonly count: number }>();
    for (const [from, tally] of this.tallies.entries()) {
      if (tally.endsAtMs <= Date.now()) this.tallies.delete(from);
      else if (tally.pending > 0) {
        counted.set(bucketName(this.config.keys, 'credential', from), { tally, count: tally.pending });
      }
    }
    if (counted.size === 0) return;
    const counts = new Map([...counted].map(([name, { count }]) => [name, count]));
    for (const { bucket, attempts, endsAt } of await this.attempts.add(counts, WINDOW_SECONDS)) {
      const found = counted.get(bucket);
      if (!found) continue;
      found.tally.pending -= found.count;
      found.tally.stored = attempts;
      found.tally.endsAtMs = endsAt.getTime();
    }
  }

  onApplicationShutdown(): void {
    clearTimeout(this.timer);
  }

  private full(address: string): Tally | undefined {
    if (this.tallies.size === 0) return undefined;
    const tally = this.tallies.get(addressGroup(address));
    const isFull = tally && tally.endsAtMs > Date.now() && tally.stored + tally.pending >= LIMIT;
    return isFull ? tally : undefined;
  }
}
