import type { PoolConfig } from 'pg';
import { CONNECT_TIMEOUT_MS } from './data-source-options';
import type { DatabaseWatch } from './database-watch';
import { WatchedPool } from './watched-pool';

/** A lock that is not given in time, then a statement, is ended by the server; a server that hangs, by the client. */
const LIMITS_MS = { lock_timeout: 5000, statement_timeout: 5500, query_timeout: 6000 };

/**
 * A small pool of its own for the ledger's prepared statements, so that slow listings can never starve admission.
 * Injected by class; ends with the application. A lost connection fails the query that used it, never the process.
 */
export class HotPool extends WatchedPool {
  constructor(config: PoolConfig, watch?: DatabaseWatch) {
    const settings = {
      max: 4,
      application_name: 'lattice-ledger',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      ...LIMITS_MS,
      ...config,
    };
    super(settings, watch);
    this.on('error', () => undefined);
  }
}
