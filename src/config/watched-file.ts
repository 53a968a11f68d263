import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { ConfigurationError } from '../errors/index';

export interface WatchedFileOptions<T> {
  /** Below each of the folders. */
  readonly relativePath: string;
  /** The first one that has the file counts, as everywhere. */
  readonly dirs: readonly string[];
  /** Milliseconds between two looks at the file; 0: it is read once. */
  readonly intervalMs: number;
  /** Reads and validates the file anew. @throws ConfigurationError */
  readonly read: () => T;
}

/**
 * The content of a configuration file that follows the file while the process runs. A change is read as soon as the file
 * has been the same for two looks, so that half of one is not. One that is not valid changes nothing and is told once. Looks
 * at the file instead of waiting to be told: that works with mounted volumes too, where notices of changes get lost. As a
 * provider it starts and ends with the application.
 */
export class WatchedFile<T extends { readonly version: string }>
  implements OnApplicationBootstrap, OnApplicationShutdown
{
  private readonly logger = new Logger(WatchedFile.name);
  private value: T;
  private timer?: NodeJS.Timeout;
  private looking?: Promise<void>;
  private lastSeen?: string;
  private lastRead?: string;

  /** @throws ConfigurationError */
  constructor(private readonly options: WatchedFileOptions<T>) {
    this.value = options.read();
  }

  /** What counts now; another object after a change. */
  get current(): T {
    return this.value;
  }

  async onApplicationBootstrap(): Promise<void> {
    const { intervalMs } = this.options;
    if (intervalMs === 0) return;
    this.lastRead = await this.stamp();
    this.lastSeen = this.lastRead;
    // What was changed between the first reading and now would else be seen only with the next change.
    this.readAnew();
    this.timer = setInterval(() => void (this.looking ??= this.look()), intervalMs).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  private async look(): Promise<void> {
    try {
      const seen = await this.stamp();
      const isStill = seen === this.lastSeen;
      this.lastSeen = seen;
      if (!isStill || seen === this.lastRead) return;
      this.lastRead = seen;
      this.readAnew();
    } finally {
      this.looking = undefined;
    }
  }

  private readAnew(): void {
    const { relativePath, read } = this.options;
    try {
      const before = this.value.version;
      const value = read();
      if (value.version === before) return;
      this.value = value;
      this.logger.log(`${relativePath} has changed: version ${value.version} in place of ${before}`);
    } catch (error) {
      const reason = error instanceof ConfigurationError ? error.message : String(error);
      this.logger.error(
        `${relativePath} has changed and is not valid, version ${this.value.version} stays: ${reason}`,
      );
    }
  }

  /** Which file it is and when it was written last. */
  private async stamp(): Promise<string> {
    for (const dir of this.options.dirs) {
      const file = path.join(dir, this.options.relativePath);
      const found = await stat(file).catch(() => undefined);
      if (found) return `${file}:${found.ino}:${found.mtimeMs}:${found.ctimeMs}:${found.size}`;
    }
    return 'missing';
  }
}
