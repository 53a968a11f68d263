import { Pool, type PoolClient, type PoolConfig } from 'pg';
import { ServiceUnavailableError } from '../errors/index';
import type { DatabaseWatch } from './database-watch';

type Callback = (
  error: Error | undefined,
  client: PoolClient | undefined,
  done: (release?: Error | boolean) => void,
) => void;

/**
 * A pool that gives no connection while PostgreSQL is known to be down, and that lets go of all it has in the moment it
 * goes down: whoever waits for one, or for an answer on one, gets a 503 then. A failure to connect is a 503 always.
 */
export class WatchedPool extends Pool {
  private readonly waiting = new Set<(error: Error) => void>();
  private readonly connected = new Set<PoolClient>();

  constructor(
    config: PoolConfig,
    private readonly watch?: DatabaseWatch,
  ) {
    super(config);
    this.on('connect', (client) => {
      this.connected.add(client);
      // The pool listens to idle connections only; one lost between two queries of a transaction must not be fatal.
      client.on('error', () => watch?.suspect());
    });
    this.on('remove', (client) => this.connected.delete(client));
    watch?.onDown(() => this.cut());
  }

  override connect(): Promise<PoolClient>;
  override connect(callback: Callback): void;
  override connect(callback?: Callback): Promise<PoolClient> | void {
    if (callback) {
      this.lend(callback);
      return;
    }
    return new Promise((resolve, reject) =>
      this.lend((error, client) => (client ? resolve(client) : reject(error))),
    );
  }

  private lend(callback: Callback): void {
    if (this.watch?.isDown) {
      callback(unavailable(), undefined, nothing);
      return;
    }
    const fail = (error: Error): void => {
      this.waiting.delete(fail);
      callback(error, undefined, nothing);
    };
    this.waiting.add(fail);
    super.connect((error, client, done) => {
      const isWanted = this.waiting.delete(fail);
      if (!isWanted) {
        if (!error) done(true);
      } else if (error) {
        this.watch?.suspect();
        callback(unavailable(error), undefined, nothing);
      } else callback(undefined, client, done);
    });
  }

  private cut(): void {
    for (const fail of this.waiting) fail(unavailable());
    const lost = new Error('Connection terminated: PostgreSQL does not answer');
    for (const client of this.connected) client.connection.stream.destroy(lost);
  }
}

function nothing(): void {}

function unavailable(cause?: Error): ServiceUnavailableError {
  return new ServiceUnavailableError('The database is not available', { cause });
}
