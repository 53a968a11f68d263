import { setTimeout as delay } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { ConfigurationError, ServiceUnavailableError, toServiceUnavailable } from '../errors/index';
import type { PostgresOptions } from './data-source-options';
import { migrate } from './migrate';

const PATIENCE_MS = 15_000;

/**
 * A connected and migrated data source. Waits a little for a server that is just starting; closes everything again
 * when a step fails.
 * @throws ConfigurationError naming the server, never its password.
 */
export async function connect(options: PostgresOptions & { url: string }): Promise<DataSource> {
  const dataSource = new DataSource(options);
  await initialize(dataSource, options.url);
  try {
    await migrate(dataSource, options.url);
    return dataSource;
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
}

async function initialize(dataSource: DataSource, url: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      await dataSource.initialize();
      return;
    } catch (error) {
      // The pool reports every failure to connect as a 503; here the reason decides.
      const cause = error instanceof ServiceUnavailableError && error.cause ? error.cause : error;
      if (!toServiceUnavailable(cause) || performance.now() > deadline) throw unusableServer(url, cause);
    }
    await delay(250);
  }
}

/** Names the server, never its password. */
export function unusableServer(url: string, cause: unknown): ConfigurationError {
  const { host, pathname } = new URL(url);
  const { code, message } = cause as { code?: string; message?: string };
  return new ConfigurationError(
    `PostgreSQL at ${host}${pathname} cannot be used (${message || code}). Check DATABASE_URL and that the server runs.`,
    { cause },
  );
}
