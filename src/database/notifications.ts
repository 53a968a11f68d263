import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Client } from 'pg';
import { KEEP_ALIVE } from './data-source-options';
import type { DatabaseWatch } from './database-watch';

export type NotificationHandler = (payload: string) => void;

const RECONNECT_MS = 500;
const CONNECT_LIMIT_MS = 2000;
const LISTEN_LIMIT_MS = 2000;

/**
 * PostgreSQL's NOTIFY on one connection of its own. A hint, never the truth: what was sent while the connection was
 * down is lost, so listeners look for themselves when it is back.
 */
@Injectable()
export class Notifications implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(Notifications.name);
  private readonly handlers = new Map<string, Set<NotificationHandler>>();
  private readonly reconnectHandlers = new Set<() => void>();
  /** From the moment it connects, so that it can be cut off. */
  private client?: Client;
  private isListening = false;
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
      query_timeout: LISTEN_LIMIT_MS,
      ...KEEP_ALIVE,
    });
    this.client = client;
    client.on('notification', ({ channel, payload }) => this.deliver(channel, payload ?? ''));
    client.on('error', () => undefined);
    client.once('end', () => this.connectLater(client));
    try {
      await client.connect();
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

  private async listen(client: Client, channel: string): Promise<void> {
    await client.query(`listen ${channel}`);
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
