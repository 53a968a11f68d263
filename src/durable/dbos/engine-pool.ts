import { Logger } from '@nestjs/common';
import { Pool, type PoolClient } from 'pg';
import { CONNECT_TIMEOUT_MS, type DatabaseWatch, KEEP_ALIVE } from '../../database/index';

const MAX_CONNECTIONS = 6;
/** Below the shortest useful lease: a process that was stopped in its tracks keeps no row from the others. */
export const IDLE_IN_TRANSACTION_MS = 5000;

/**
 * DBOS's connections. Unlike `WatchedPool` it fails with what the driver says, because DBOS knows an outage by that and
 * waits for its end; like it, it lets go of all connections in the moment PostgreSQL is found to hang.
 */
export class EnginePool extends Pool {
  private readonly logger = new Logger('Durable');
  private readonly connected = new Set<PoolClient>();

  constructor(url: string, watch: DatabaseWatch) {
    super({
      connectionString: url,
      max: MAX_CONNECTIONS,
      application_name: 'lattice-durable',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      ...KEEP_ALIVE,
    });
    this.on('error', (error) => this.logger.debug(`A connection was lost: ${error.message}`));
    this.on('connect', (client) => {
      this.connected.add(client);
      client.on('error', () => watch.suspect());
    });
    this.on('remove', (client) => this.connected.delete(client));
    watch.onDown(() => this.cut());
  }

  private cut(): void {
    for (const client of this.connected) client.connection.stream.destroy();
  }
}
