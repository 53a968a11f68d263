import type { ServerResponse } from 'node:http';
import { type AppError, errorBody } from '../errors/index';
import { type StoredEvent, toPublicEvent } from './event';
import type { FeedListener } from './event-feed';
import type { EventFilter } from './event-resources';

/** More than this waiting for a slow client is dropped and read again from the table when the client is ready. */
const MAX_WAITING = 500;
const PAGE = 200;
/** So many beats in a row, a minute in all, may find a client that has not read what was written before. */
const MAX_MISSED_BEATS = 4;

export type ReadAfter = (position: string, filter: EventFilter, limit: number) => Promise<StoredEvent[]>;

/**
 * One open stream: catches up from the table, then follows the feed. It knows up to which position the client was
 * sent, so what comes twice is left out and what was dropped is read again: nothing is skipped, nothing repeated.
 */
export class EventStream implements FeedListener {
  private waiting: StoredEvent[] = [];
  private isLagging = true;
  private hasEnded = false;
  private missedBeats = 0;
  private wakeUp?: () => void;

  constructor(
    private readonly raw: ServerResponse,
    private readonly filter: EventFilter,
    /** The last event that the client has. */
    private position: string,
    private readonly readAfter: ReadAfter,
  ) {
    raw.once('close', () => this.finish());
  }

  get isEnded(): boolean {
    return this.hasEnded || this.raw.destroyed || this.raw.writableEnded;
  }

  push(events: readonly StoredEvent[]): void {
    if (this.isLagging) return;
    const meant = events.filter((event) => isMeant(event, this.filter));
    if (meant.length === 0) return;
    if (this.waiting.length + meant.length > MAX_WAITING) {
      this.lag();
      return;
    }
    this.waiting.push(...meant);
    this.wakeUp?.();
  }

  lag(): void {
    this.waiting = [];
    this.isLagging = true;
    this.wakeUp?.();
  }

  /** Sends until the stream ends. @throws what reading the table throws */
  async run(): Promise<void> {
    // An id without data makes the client remember where it stands before anything has happened.
    await this.write(`id: ${this.position}\n\n`);
    while (!this.isEnded) {
      if (this.isLagging) await this.catchUp();
      else await this.sendWaiting();
    }
  }

  /** Keeps proxies and clients from giving up. Nothing is written while the client does not read, and that has its end. */
  beat(): void {
    if (this.isEnded) return;
    if (!this.raw.writableNeedDrain) {
      this.missedBeats = 0;
      this.raw.write(': still here\n\n');
      return;
    }
    this.missedBeats += 1;
    if (this.missedBeats >= MAX_MISSED_BEATS) this.raw.destroy();
  }

  /** Ends the stream cleanly; an error is its last event. */
  end(error?: AppError, requestId = ''): void {
    if (this.isEnded) return;
    this.finish();
    // A client that does not read would never see the end.
    if (this.raw.writableNeedDrain) this.raw.destroy();
    else this.raw.end(error && `event: error\ndata: ${JSON.stringify(errorBody(error, requestId))}\n\n`);
  }

  private finish(): void {
    this.hasEnded = true;
    this.wakeUp?.();
  }

  private async catchUp(): Promise<void> {
    // From here on the feed's events are kept: those that this reading finds as well are left out below.
    this.isLagging = false;
    const found = await this.readAfter(this.position, this.filter, PAGE);
    if (found.length === PAGE) this.lag();
    await this.sendAll(found);
  }

  private async sendWaiting(): Promise<void> {
    if (this.waiting.length === 0) await this.woken();
    const events = this.waiting;
    this.waiting = [];
    await this.sendAll(events);
  }

  private async woken(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.wakeUp = resolve;
    });
    this.wakeUp = undefined;
  }

  private async sendAll(events: readonly StoredEvent[]): Promise<void> {
    for (const event of events) {
      if (this.isEnded) return;
      if (BigInt(event.position) <= BigInt(this.position)) continue;
      this.position = event.position;
      await this.write(`id: ${event.position}\ndata: ${JSON.stringify(toPublicEvent(event))}\n\n`);
    }
  }

  /** Resolves when the client has taken what was written, or is gone. */
  private async write(frame: string): Promise<void> {
    if (this.isEnded || this.raw.write(frame)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.raw.off('drain', done);
        this.raw.off('close', done);
        this.missedBeats = 0;
        resolve();
      };
      this.raw.once('drain', done);
      this.raw.once('close', done);
    });
  }
}

function isMeant(event: StoredEvent, { ownerId, resource }: EventFilter): boolean {
  return (
    (ownerId === undefined || event.ownerId === ownerId) &&
    (resource === undefined || event.resource === resource)
  );
}
