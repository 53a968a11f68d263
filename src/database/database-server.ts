import path from 'node:path';
import { Logger } from '@nestjs/common';
import type { AppConfig } from '../config/index';
import { EmbeddedPostgres } from './embedded-postgres/embedded-postgres';
import { waitForServer, type Waiting } from './wait-for-server';

const WATCH_INTERVAL_MS = 1000;

/**
 * The PostgreSQL that stands behind the application: the server of DATABASE_URL, or the embedded one. Opened before the
 * application is built and closed after it has ended, also when the boot fails half-way.
 */
export class DatabaseServer {
  private readonly logger = new Logger('Database');
  private watch?: NodeJS.Timeout;
  private reviving?: Promise<void>;

  private constructor(
    readonly url: string,
    private readonly embedded?: EmbeddedPostgres,
  ) {
    if (embedded) this.watch = setInterval(() => this.look(embedded), WATCH_INTERVAL_MS).unref();
  }

  /** @throws ConfigurationError when the embedded server cannot run; names the folder and the remedy. */
  static async open(config: Pick<AppConfig, 'databaseUrl' | 'dataDir'>): Promise<DatabaseServer> {
    if (config.databaseUrl) return new DatabaseServer(config.databaseUrl);
    const embedded = await EmbeddedPostgres.start({ folder: path.join(config.dataDir, 'postgres') });
    return new DatabaseServer(embedded.url, embedded);
  }

  get isEmbedded(): boolean {
    return this.embedded !== undefined;
  }

  /** Waits until the server of DATABASE_URL takes connections; false when told to stop before. */
  async untilReachable(waiting: Waiting): Promise<boolean> {
    return this.isEmbedded || (await waitForServer(this.url, waiting));
  }

  /** Stops the embedded server if no other process uses it. Leaves the server of DATABASE_URL alone. May be repeated. */
  async close(): Promise<void> {
    clearInterval(this.watch);
    await this.reviving;
    await this.embedded?.stop();
  }

  /** Nobody else restarts an embedded server that crashed or was killed. */
  private look(embedded: EmbeddedPostgres): void {
    if (this.reviving || embedded.isRunning) return;
    this.logger.warn('The embedded PostgreSQL has ended unexpectedly and is started again');
    this.reviving = embedded
      .revive()
      .catch((error: Error) => this.logger.error(error.message))
      .finally(() => (this.reviving = undefined));
  }
}
