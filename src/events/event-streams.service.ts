import type { ServerResponse } from 'node:http';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type Principal, type RequestContext, toApiId } from '../common/index';
import { type AppError, ServiceUnavailableError, toAppError, toServiceUnavailable } from '../errors/index';
import { AppLogger, BackgroundLoop, OpenRequests } from '../observability/index';
import { EventFeed } from './event-feed';
import { EventReaders, type EventReading, KnownReaders } from './event-readers';
import { EventStream } from './event-stream';
import { EventRepository } from './event.repository';
import { TooManyEventStreamsError } from './events.errors';
import { type FollowerSeat, FollowerSeats } from './follower-seats';

export const MAX_STREAMS_PER_USER = 20;
const HEARTBEAT_MS = 15_000;
const RECHECK_MS = 60_000;

/** What a caller may follow, from where; nothing is open yet. It is to be started at once, for it may have a seat. */
export interface StreamPlan extends EventReading {
  readonly position: string;
  readonly seat?: FollowerSeat;
}

/** The open streams of this process: how many, whether their readers may still read, and their end. */
@Injectable()
export class EventStreams implements OnModuleInit {
  private readonly open = new Map<EventStream, StreamPlan>();
  private readonly checks = new BackgroundLoop('rechecking event streams', RECHECK_MS, () => this.recheck());
  private heartbeat?: NodeJS.Timeout;

  constructor(
    private readonly events: EventRepository,
    private readonly feed: EventFeed,
    private readonly readers: EventReaders,
    private readonly seats: FollowerSeats,
    private readonly requests: OpenRequests,
    private readonly logger: AppLogger,
  ) {}

  onModuleInit(): void {
    this.requests.drainSignal.addEventListener('abort', () => this.endAll());
  }

  /**
   * @param after position of the last event that the client has; undefined: what happens from now on.
   * @throws NotFoundError, TooManyEventStreamsError, ServiceUnavailableError
   */
  async plan(ctx: RequestContext, resource: string, after?: string): Promise<StreamPlan> {
    if (this.requests.isDraining) throw leaving();
    this.checkCount(ctx.principal);
    const filter = await this.readers.filterFor(ctx.principal, resource);
    const head = await this.events.head();
    // A position from before a restored backup lies ahead of everything: such a client starts now.
    const isKnown = after !== undefined && BigInt(after) <= BigInt(head);
    const seat = await this.seats.take(resource);
    try {
      // Again: others of the same user may have been opened meanwhile.
      this.checkCount(ctx.principal);
    } catch (error) {
      this.seats.leave(seat);
      throw error;
    }
    return { ctx, resource, filter, position: isKnown ? after : head, seat };
  }

  /**
   * Sends until either side ends it. Returns at once.
   * @param open writes the head of the response; what it throws is thrown
   */
  start(plan: StreamPlan, open: () => ServerResponse): void {
    let isOpen = false;
    try {
      isOpen = this.run(plan, open());
    } finally {
      if (!isOpen) this.seats.leave(plan.seat);
    }
  }

  /** Ends the streams of those who may not read any more. While PostgreSQL is away nothing is sent, so that can wait. */
  async recheck(): Promise<void> {
    await this.seats.check();
    const known = new KnownReaders();
    for (const [stream, plan] of this.open) {
      try {
        await this.readers.check(plan, known);
      } catch (error) {
        if (toServiceUnavailable(error)) return;
        this.fail(stream, toAppError(error));
      }
    }
  }

  /** False: the client is gone already. */
  private run(plan: StreamPlan, raw: ServerResponse): boolean {
    const { filter, position, seat } = plan;
    const stream = new EventStream(raw, filter, position, (...args) => this.events.after(...args));
    if (stream.isEnded) return false;
    this.open.set(stream, plan);
    if (this.open.size === 1) this.startTimers();
    const stop = this.feed.listen(stream);
    if (seat) seat.onLost = (error) => this.fail(stream, error);
    raw.once('close', () => {
      stop();
      this.seats.leave(seat);
      this.open.delete(stream);
      if (this.open.size === 0) this.stopTimers();
    });
    if (this.requests.isDraining) this.fail(stream, leaving());
    stream.run().catch((error: unknown) => this.fail(stream, toAppError(error)));
    return true;
  }

  private checkCount({ userId }: Principal): void {
    const count = [...this.open.values()].filter(({ ctx }) => ctx.principal.userId === userId).length;
    if (count < MAX_STREAMS_PER_USER) return;
    throw new TooManyEventStreamsError(
      `${MAX_STREAMS_PER_USER} event streams are open already: close one, or follow "me", which has everything of yours.`,
    );
  }

  private endAll(): void {
    for (const stream of this.open.keys()) this.fail(stream, leaving());
  }

  private fail(stream: EventStream, error: AppError): void {
    const requestId = this.open.get(stream)?.ctx.requestId;
    if (error.status === 500) this.logger.error({ event: 'event_stream', err: error.cause ?? error });
    stream.end(error, requestId && toApiId('req', requestId));
  }

  private startTimers(): void {
    this.checks.start();
    this.heartbeat = setInterval(() => {
      for (const stream of this.open.keys()) stream.beat();
    }, HEARTBEAT_MS).unref();
  }

  private stopTimers(): void {
    clearInterval(this.heartbeat);
    void this.checks.stop();
  }
}

function leaving(): ServiceUnavailableError {
  return new ServiceUnavailableError('The service is shutting down: connect again');
}
