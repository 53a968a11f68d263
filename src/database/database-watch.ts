import { Logger } from '@nestjs/common';
import { Client } from 'pg';
import { within } from '../common/index';
import { KEEP_ALIVE } from './data-source-options';

const BEAT_MS = 1000;
const DOWN_BEAT_MS = 250;
/** How long the kept connection may take to answer before a new one is tried. */
const ANSWER_LIMIT_MS = 2500;
const CONNECT_LIMIT_MS = 2000;
/** A timer that is this late has waited for our own event loop; the answer may lie in the socket, unread. */
const OWN_LATENESS_MS = 250;

/**
 * Knows whether PostgreSQL answers, by a connection of its own that asks every second. A server that hangs is found
 * within 6 s, one that refuses at once, one that is back within 0.25 s. Everything that needs PostgreSQL fails fast
 * while it is down (`WatchedPool`).
 */
export class DatabaseWatch {
  private readonly logger = new Logger('Database');
  private readonly downHandlers = new Set<() => void>();
  private readonly upHandlers = new Set<() => void>();
  private client?: Client;
  private timer?: NodeJS.Timeout;
  private looking?: Promise<boolean>;
  private downSince?: number;
  private isRunning = false;

  constructor(private readonly url: string) {}

  get isDown(): boolean {
    return this.downSince !== undefined;
  }

  /** Called in the moment it is found to be down. */
  onDown(handler: () => void): void {
    this.downHandlers.add(handler);
  }

  /** Called in the moment it answers again. */
  onUp(handler: () => void): void {
    this.upHandlers.add(handler);
  }

  start(): void {
    this.isRunning = true;
    this.schedule();
  }

  async stop(): Promise<void> {
    this.isRunning = false;
    clearTimeout(this.timer);
    await this.looking;
    await this.client?.end().catch(() => undefined);
  }

  /** Something failed that may mean an outage: looks now instead of at the next beat. */
  suspect(): void {
    void this.look();
  }

  /** Whether PostgreSQL answers, asked now. Never rejects. */
  look(): Promise<boolean> {
    if (!this.isRunning) return Promise.resolve(!this.isDown);
    clearTimeout(this.timer);
    this.looking ??= this.ask().then((isUp) => {
      this.looking = undefined;
      this.note(isUp);
      this.schedule();
      return isUp;
    });
    return this.looking;
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (!this.isRunning) return;
    this.timer = setTimeout(() => void this.look(), this.isDown ? DOWN_BEAT_MS : BEAT_MS).unref();
  }

  private async ask(): Promise<boolean> {
    const kept = this.client;
    if (kept && (await answersInTime(kept))) return true;
    this.forget(kept);
    const fresh = new Client({
      connectionString: this.url,
      application_name: 'lattice-watch',
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      ...KEEP_ALIVE,
    });
    fresh.on('error', () => {
      this.forget(fresh);
      if (this.isRunning) this.suspect();
    });
    try {
      await fresh.connect();
    } catch {
      return false;
    }
    this.client = fresh;
    return true;
  }

  private forget(client: Client | undefined): void {
    if (!client || this.client !== client) return;
    this.client = undefined;
    client.connection.stream.destroy();
  }

  private note(isUp: boolean): void {
    if (isUp === !this.isDown || !this.isRunning) return;
    const { host, pathname } = new URL(this.url);
    if (!isUp) {
      this.downSince = performance.now();
      this.logger.error(
        `PostgreSQL at ${host}${pathname} does not answer: requests that need it are refused`,
      );
      for (const handler of this.downHandlers) handler();
      return;
    }
    const seconds = ((performance.now() - (this.downSince ?? 0)) / 1000).toFixed(1);
    this.downSince = undefined;
    this.logger.log(`PostgreSQL at ${host}${pathname} answers again after ${seconds} s`);
    for (const handler of this.upHandlers) handler();
  }
}

async function answersInTime(client: Client): Promise<boolean> {
  const answer = client.query('select 1').then(
    () => true,
    () => false,
  );
  const dueAt = performance.now() + ANSWER_LIMIT_MS;
  const isIn = await within(ANSWER_LIMIT_MS, answer);
  if (isIn === undefined && performance.now() - dueAt > OWN_LATENESS_MS)
    return (await within(ANSWER_LIMIT_MS, answer)) ?? false;
  return isIn ?? false;
}
