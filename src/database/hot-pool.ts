import { Pool, type PoolConfig } from 'pg';
import { CONNECT_TIMEOUT_MS } from './data-source-options';

/** A lock that is not given in time, then a statement, is ended by the server; a server that hangs, by the client. */
const LIMITS_MS = { lock_timeout: 5000, statement_timeout: 8000, query_timeout: 10_000 };

/**
 * A small pool of its own for the ledger's prepared statements, so that slow listings can never starve admission.
 * Injected by class; ends with the application. A lost connection fails the query that used it, never the process.
 */
export class HotPool extends Pool {
  constructor(config: PoolConfig) {
    super({
      max: 4,
      application_name: 'lattice-ledger',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      ...LIMITS_MS,
      ...config,
    });
    this.on('error', () => undefined);
    // The pool listens to idle connections only; one that is lost between two queries of a transaction must not be fatal.
    this.on('connect', (client) => client.on('error', () => undefined));
  }
}
