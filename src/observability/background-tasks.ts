import { Injectable } from '@nestjs/common';
import { within } from '../common/index';
import { BackgroundTaskError } from '../errors/index';
import { AppLogger } from './app-logger';

/** Work that goes on behind requests: tracked, logged when it fails, drained at shutdown. */
@Injectable()
export class BackgroundTasks {
  private readonly running = new Map<Promise<void>, string>();
  private readonly controller = new AbortController();

  constructor(private readonly logger: AppLogger) {}

  get count(): number {
    return this.running.size;
  }

  /** Starts the work; its failure is logged under the name and goes no further. */
  run(name: string, work: (signal: AbortSignal) => Promise<void>): void {
    const task = work(this.controller.signal)
      .catch((cause: unknown) => {
        this.logger.event('background_task', {
          task: name,
          err: new BackgroundTaskError(`Background task "${name}" failed`, { cause }),
        });
      })
      .finally(() => this.running.delete(task));
    this.running.set(task, name);
  }

  /** Waits for what runs, `limitMs` at most; then tells the rest to stop and names it. */
  async drain(limitMs: number): Promise<void> {
    if (this.running.size === 0) return;
    await within(limitMs, Promise.all(this.running.keys()));
    for (const name of this.running.values()) {
      this.logger.event('background_task', {
        task: name,
        reason: `not finished within ${limitMs} ms at shutdown`,
      });
    }
    this.controller.abort(new BackgroundTaskError('The process is shutting down'));
  }
}
