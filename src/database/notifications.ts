import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Client } from 'pg';
import { SerialQueue } from '../common/index';
import { ServiceUnavailableError } from '../errors/index';
import { KEEP_ALIVE } from './data-source-options';
import type { DatabaseWatch } from './database-watch';

export type NotificationHandler = (payload: string) => void;

const RECONNECT_MS = 500;
const CONNECT_LIMIT_MS = 2000;
const QUERY_LIMIT_MS = 2000;
const END_LIMIT_MS = 1500;

/** PostgreSQL finds a machine that is gone in about ten seconds, not in two hours, and lets go of what it held. */
const BEGIN_SESSION = `
  select pid, backend_start::text as "startedAt",
    set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false),
    set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '10000', false)
  from pg_stat_activity where pid = pg_backend_pid()`;
const END_SESSION = `
  select pg_terminate_backend(pid, ${END_LIMIT_MS}) as "hasEnded" from pg_stat_activity
  where pid = $1 and backend_start = $2::timestamptz`;

/** One of PostgreSQL's, for as long as it runs and longer. */
interface Session {
  readonly pid: number;
  readonly startedAt: string;
}

/**
 * PostgreSQL's NOTIFY on one connection of its own. A hint, never the truth: what was sent while the connection was
 * down is lost, so listeners look for themselves when it is back. The same connection keeps what shall end with this
 * process: locks of its session.
 */
@Injectable()
export class Notifications implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(Notifications.name);
  private readonly handlers = new Map<string, Set<NotificationHandler>>();
  private readonly reconnectHandlers = new Set<() => void>();
  /** From the moment it connects, so that it can be cut off. */
  private client?: Client;
  private isListening = false;
  /** A connection is asked one thing at a time. */
  private turns = new SerialQueue();
  /** The one that keeps what `query` took, once something was asked. */
  private session?: Session;
  private retry?: NodeJS.Timeout;
  private isClosed = false;

  constructor(
    private readonly url: string,
    watch?: DatabaseWatch,
  ) {
    // A connection that a hanging server or a cut network left behind would look open for minutes.
    watch?.onDown(() => this.client && cut(this.client));
    watch?.onUp(() => this.retryNow());
  }

  /** Calls the handler for every notification of a channel (lower-case letters, digits and `_`). Returns how to stop. */
  on(channel: string, handler: NotificationHandler): () => void {
    if (!/^[a-z_][a-z0-9_]*$/.test(channel)) throw new RangeError(`Not a channel name: ${channel}`);
    const known = this.handlers.get(channel);
    if (known) known.add(handler);
    else {
      this.handlers.set(channel, new Set([handler]));
      const { client } = this;
      // A connection that does not take it is no use: the next one asks for every channel.
      if (client && this.isListening) this.listen(client, channel).catch(() => cut(client));
    }
    return () => this.handlers.get(channel)?.delete(handler);
  }

  /** Calls the handler whenever the connection is there again after it was lost. */
  onReconnect(handler: () => void): void {
    this.reconnectHandlers.add(handler);
  }

  /**
   * Asks on this connection, for locks that its session keeps: PostgreSQL frees them when the connection ends, so they
   * are to be taken again after a reconnect. By then the session before has ended, whatever became of its connection.
   * @throws ServiceUnavailableError while it is away; after any failure the connection is made anew
   */
  async query<Row extends object>(sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    const { client } = this;
    if (!client || !this.isListening) throw new ServiceUnavailableError('The database is not available');
    try {
      return await this.turns.run(async () => {
        if (!this.session) this.session = (await client.query<Session>(BEGIN_SESSION)).rows[0];
        return (await client.query<Row>(sql, [...parameters])).rows;
      });
    } catch (error) {
      // Whether it was done is not known.
      cut(client);
      throw error;
    }
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.connect(false);
  }

  async onApplicationShutdown(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.retry);
    if (!this.isListening && this.client) cut(this.client);
    else await this.client?.end().catch(() => undefined);
  }

  private async connect(isAgain: boolean): Promise<void> {
    const client = new Client({
      connectionString: this.url,
      application_name: 'lattice-listen',
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      query_timeout: QUERY_LIMIT_MS,
      ...KEEP_ALIVE,
    });
    this.client = client;
    this.turns = new SerialQueue();
    client.on('notification', ({ channel, payload }) => this.deliver(channel, payload ?? ''));
    client.on('error', () => undefined);
    client.once('end', () => this.connectLater(client));
    try {
      await client.connect();
      await this.endSession(client);
      for (const channel of this.handlers.keys()) await this.listen(client, channel);
    } catch {
      cut(client);
      this.connectLater(client);
      return;
    }
    if (this.isClosed) {
      cut(client);
      return;
    }
    this.isListening = true;
    if (isAgain) for (const handler of this.reconnectHandlers) handler();
  }

  /** One that PostgreSQL still believes in would keep its locks from the next. */
  private async endSession(client: Client): Promise<void> {
    if (!this.session) return;
    const { rows } = await client.query<{ hasEnded: boolean }>(END_SESSION, [
      this.session.pid,
      this.session.startedAt,
    ]);
    // The next try comes soon: until then nobody may believe that its locks are free.
    if (rows.some(({ hasEnded }) => !hasEnded)) throw new Error('The session before has not ended yet');
    this.session = undefined;
  }

  private async listen(client: Client, channel: string): Promise<void> {
    await this.turns.run(() => client.query(`listen ${channel}`));
  }

  private connectLater(lost: Client): void {
    if (this.isClosed || (this.client && this.client !== lost) || this.retry) return;
    this.client = undefined;
    this.isListening = false;
    this.retry = setTimeout(() => this.retryNow(), RECONNECT_MS).unref();
  }

  private retryNow(): void {
    if (!this.retry) return;
    clearTimeout(this.retry);
    this.retry = undefined;
    void this.connect(true);
  }

  private deliver(channel: string, payload: string): void {
    for (const handler of this.handlers.get(channel) ?? []) {
      try {
        handler(payload);
      } catch (error) {
        this.logger.warn(
          `A listener of ${channel} failed: ${error instanceof Error ? error.message : 'unknown reason'}`,
        );
      }
    }
  }
}

function cut(client: Client): void {
  client.connection.stream.destroy();
}
