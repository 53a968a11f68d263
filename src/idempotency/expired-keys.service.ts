import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { toServiceUnavailable } from '../database/index';
import { BackgroundTasks } from '../observability/index';
import { IdempotencyKeysRepository } from './idempotency-keys.repository';

const INTERVAL_MS = 600_000;
const BATCH = 500;

/** Removes keys whose time is over, in small batches. */
@Injectable()
export class ExpiredKeys implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly keys: IdempotencyKeysRepository,
    private readonly tasks: BackgroundTasks,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(
      () => this.tasks.run('expired idempotency keys', (signal) => this.remove(signal)),
      INTERVAL_MS,
    ).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Until none is left. With PostgreSQL away the next round does it. */
  async remove(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted && (await this.keys.removeExpired(BATCH)) === BATCH);
    } catch (error) {
      if (!toServiceUnavailable(error)) throw error;
    }
  }
}
