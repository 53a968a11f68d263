import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type BeforeApplicationShutdown,
} from '@nestjs/common';
import { toServiceUnavailable } from '../database/index';
import { EventRepository } from './event.repository';
import { WakeLoop } from './wake-loop';

export const KEPT_DAYS = 30;
const INTERVAL_MS = 3_600_000;
const BATCH = 1000;

/** Forgets old events, in small bites, so that no statement holds its locks for long. All processes may do it at once. */
@Injectable()
export class EventCleanup implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(EventCleanup.name);
  private readonly loop = new WakeLoop(INTERVAL_MS, () => this.round());
  private isStopping = false;

  constructor(private readonly events: EventRepository) {}

  onApplicationBootstrap(): void {
    this.loop.start();
    this.loop.wake();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    await this.loop.stop();
  }

  async forgetAll(): Promise<void> {
    while (!this.isStopping && (await this.events.forget(KEPT_DAYS, BATCH)) > 0);
  }

  private async round(): Promise<void> {
    try {
      await this.forgetAll();
    } catch (error) {
      if (!toServiceUnavailable(error))
        this.logger.error(`Old events could not be forgotten: ${String(error)}`);
    }
  }
}
