import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Client } from 'pg';
import { toServiceUnavailable } from '../errors/index';
import { unusableServer } from './connect';

const RETRY_MS = 250;
const CONNECT_LIMIT_MS = 3000;
const LOG_INTERVAL_MS = 10_000;

export interface Waiting {
  /** Ends the waiting when it resolves. */
  readonly stop: Promise<unknown>;
  /** Called once, when the first try has failed. */
  readonly onWait: () => Promise<void>;
}

/**
 * Waits for as long as it takes until PostgreSQL takes a connection. False when it was told to stop before.
 * @throws ConfigurationError at once for what waiting cannot heal, such as a wrong password or an unknown database.
 */
export async function waitForServer(url: string, { stop, onWait }: Waiting): Promise<boolean> {
  const logger = new Logger('Database');
  const { host, pathname } = new URL(url);
  let isStopped = false;
  const stopped = stop.then(() => (isStopped = true));
  let loggedAt = -Infinity;
  for (;;) {
    const problem = await Promise.race([tryConnect(url), stopped.then(() => 'stopped')]);
    if (isStopped || problem === undefined) return !isStopped;
    if (loggedAt === -Infinity) await onWait();
    if (performance.now() - loggedAt >= LOG_INTERVAL_MS) {
      loggedAt = performance.now();
      logger.warn(`Waiting for PostgreSQL at ${host}${pathname} (${problem})`);
    }
    await Promise.race([delay(RETRY_MS), stopped]);
  }
}

/** Why it is not there yet. */
async function tryConnect(url: string): Promise<string | undefined> {
  const client = new Client({
    connectionString: url,
    application_name: 'lattice-start',
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return undefined;
  } catch (error) {
    if (!toServiceUnavailable(error)) throw unusableServer(url, error);
    const { code, message } = error as { code?: string; message?: string };
    return code ?? message ?? 'unknown reason';
  } finally {
    void client.end().catch(() => undefined);
  }
}
