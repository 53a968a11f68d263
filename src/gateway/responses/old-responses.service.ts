import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { toServiceUnavailable } from '../../database/index';
import { BackgroundTasks } from '../../observability/index';
import { StoredResponsesRepository } from './stored-responses.repository';

const INTERVAL_MS = 3_600_000;
const BATCH = 500;
export const KEPT_DAYS = 30;

/** Removes what is older than 30 days, the ends of conversations first, so that one that goes on stays whole. */
@Injectable()
export class OldResponses implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly responses: StoredResponsesRepository,
    private readonly tasks: BackgroundTasks,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(
      () => this.tasks.run('old responses', (signal) => this.remove(signal)),
      INTERVAL_MS,
    ).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Until none is left: each batch frees those that its own went on from. With PostgreSQL away the next round does it. */
  async remove(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted && (await this.responses.removeOlderThan(KEPT_DAYS, BATCH)) > 0);
    } catch (error) {
      if (!toServiceUnavailable(error)) throw error;
    }
  }
}
