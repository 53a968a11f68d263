import { Pool, type PoolConfig } from 'pg';
import { CONNECT_TIMEOUT_MS } from './data-source-options';

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
      ...config,
    });
    this.on('error', () => undefined);
    // The pool listens to idle connections only; one that is lost between two queries of a transaction must not be fatal.
    this.on('connect', (client) => client.on('error', () => undefined));
  }
}
