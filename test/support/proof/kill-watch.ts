/** Measures, from outside, how long the holds of killed processes stand. */
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../eventually';
import type { Books } from './books';

const PAUSE_MS = 100;

interface Killed {
  readonly keyId: string;
  readonly at: number;
  freedAfterMs?: number;
}

/** Every process has callers of its own with a key of their own, so the key tells whose a hold is. */
export class KillWatch {
  private readonly kills: Killed[] = [];
  private isRunning = true;
  private readonly loop: Promise<void>;

  constructor(private readonly books: Books) {
    this.loop = this.watch();
  }

  /** Notes that the process behind this key is gone. */
  killed(keyId: string): void {
    this.kills.push({ keyId, at: Date.now() });
  }

  get count(): number {
    return this.kills.length;
  }

  /** Milliseconds from each kill until nothing that was admitted before it was held; undefined where it still is. */
  get freedAfterMs(): readonly (number | undefined)[] {
    return this.kills.map((kill) => kill.freedAfterMs);
  }

  /** Waits until nothing is held for any of them. */
  async allFreed(limitMs: number): Promise<void> {
    await eventually(
      () => Promise.resolve(this.freedAfterMs.includes(undefined) ? undefined : true),
      limitMs,
    );
  }

  async stop(): Promise<void> {
    this.isRunning = false;
    await this.loop;
  }

  private async watch(): Promise<void> {
    while (this.isRunning) {
      const oldest = await this.books.oldestHolds();
      const now = Date.now();
      for (const kill of this.kills) {
        if (kill.freedAfterMs !== undefined || kill.at >= now) continue;
        if ((oldest.get(kill.keyId) ?? Infinity) > kill.at) kill.freedAfterMs = now - kill.at;
      }
      await delay(PAUSE_MS);
    }
  }
}
