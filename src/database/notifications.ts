import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Client } from 'pg';
import type { DatabaseWatch } from './database-watch';

export type NotificationHandler = (payload: string) => void;

const RECONNECT_MS = 500;
const CONNECT_LIMIT_MS = 2000;

/**
 * PostgreSQL's NOTIFY on one connection of its own. A hint, never the truth: what was sent while the connection was
 * down is lost, so listeners look for themselves when it is back.
 */
@Injectable()
export class Notifications implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(Notifications.name);
  private readonly handlers = new Map<string, Set<NotificationHandler>>();
  private readonly reconnectHandlers = new Set<() => void>();
  private client?: Client;
  private retry?: NodeJS.Timeout;
  private isClosed = false;

  constructor(
    private readonly url: string,
    watch?: DatabaseWatch,
  ) {
    // A connection that a hanging server or a cut network left behind would look open for minutes.
    watch?.onDown(() => this.client?.connection.stream.destroy());
    watch?.onUp(() => this.retryNow());
  }

  /** Calls the handler for every notification of a channel (lower-case letters, digits and `_`). Returns how to stop. */
  on(channel: string, handler: NotificationHandler): () => void {
    if (!/^[a-z_][a-z0-9_]*$/.test(channel)) throw new RangeError(`Not a channel name: ${channel}`);
    const known = this.handlers.get(channel);
    if (known) known.add(handler);
    else {
      this.handlers.set(channel, new Set([handler]));
      void this.client?.query(`listen ${channel}`).catch(() => undefined);
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
    await this.client?.end().catch(() => undefined);
  }

  private async connect(isAgain: boolean): Promise<void> {
    const client = new Client({
      connectionString: this.url,
      application_name: 'lattice-listen',
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      keepAlive: true,
    });
    client.on('notification', ({ channel, payload }) => this.deliver(channel, payload ?? ''));
    client.on('error', () => undefined);
    client.once('end', () => this.connectLater(client));
    try {
      await client.connect();
      for (const channel of this.handlers.keys()) await client.query(`listen ${channel}`);
    } catch {
      this.client = client;
      await client.end().catch(() => undefined);
      this.connectLater(client);
      return;
    }
    this.client = client;
    if (this.isClosed) await client.end();
    else if (isAgain) for (const handler of this.reconnectHandlers) handler();
  }

  private connectLater(lost: Client): void {
    if (this.isClosed || (this.client && this.client !== lost) || this.retry) return;
    this.client = undefined;
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
