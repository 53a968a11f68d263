import type { ServerResponse } from 'node:http';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Authenticator, type Permission } from '../auth/index';
import { type Principal, type RequestContext, toApiId } from '../common/index';
import {
  type AppError,
  ForbiddenError,
  ServiceUnavailableError,
  toAppError,
  toServiceUnavailable,
  UnauthenticatedError,
} from '../errors/index';
import { AppLogger, BackgroundLoop, OpenRequests } from '../observability/index';
import { EventFeed } from './event-feed';
import { type EventFilter, EventResources } from './event-resources';
import { EventStream } from './event-stream';
import { EventRepository } from './event.repository';
import { TooManyEventStreamsError } from './events.errors';

export const MAX_STREAMS_PER_USER = 20;
const HEARTBEAT_MS = 15_000;
const RECHECK_MS = 60_000;
/** What the route of the stream asks for. */
const NEEDED: Permission = 'events:read';

/** What a caller may follow, from where; nothing is open yet. */
export interface StreamPlan {
  readonly ctx: RequestContext;
  readonly resource: string;
  readonly filter: EventFilter;
  readonly position: string;
}

/** What one round of checks has found out: many streams have the same reader, or the same resource. */
interface Asked {
  readonly readers: Map<string, Promise<Principal | undefined>>;
  readonly filters: Map<string, Promise<EventFilter>>;
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
    private readonly resources: EventResources,
    private readonly authenticator: Authenticator,
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
    const filter = await this.resources.filterFor(ctx.principal, resource);
    const head = await this.events.head();
    // Again: others of the same user may have been opened meanwhile.
    this.checkCount(ctx.principal);
    this.checkFollowers(resource);
    // A position from before a restored backup lies ahead of everything: such a client starts now.
    const isKnown = after !== undefined && BigInt(after) <= BigInt(head);
    return { ctx, resource, filter, position: isKnown ? after : head };
  }

  /** Sends to a response whose head is written, until either side ends it. Returns at once. */
  start(plan: StreamPlan, raw: ServerResponse): void {
    const { filter, position } = plan;
    const stream = new EventStream(raw, filter, position, (...args) => this.events.after(...args));
    if (stream.isEnded) return;
    this.open.set(stream, plan);
    if (this.open.size === 1) this.startTimers();
    const stop = this.feed.listen(stream);
    raw.once('close', () => {
      stop();
      this.open.delete(stream);
      if (this.open.size === 0) this.stopTimers();
    });
    if (this.requests.isDraining) this.fail(stream, leaving());
    stream.run().catch((error: unknown) => this.fail(stream, toAppError(error)));
  }

  /** Ends the streams of those who may not read any more. While PostgreSQL is away nothing is sent, so that can wait. */
  async recheck(): Promise<void> {
    const asked: Asked = { readers: new Map(), filters: new Map() };
    for (const [stream, plan] of this.open) {
      try {
        await this.checkReader(plan, asked);
      } catch (error) {
        if (toServiceUnavailable(error)) return;
        this.fail(stream, toAppError(error));
      }
    }
  }

  private async checkReader(
    { ctx, resource, filter }: StreamPlan,
    { readers, filters }: Asked,
  ): Promise<void> {
    const { userId, keyId, keyGeneration, tokenId, sessionId } = ctx.principal;
    const credential = [userId, keyId, keyGeneration, tokenId, sessionId].join();
    const principal = await once(readers, credential, () =>
      this.authenticator.recheck(ctx.principal, NEEDED),
    );
    if (!principal) throw new UnauthenticatedError('The credential is not valid any more.');
    const { ownerId, resource: only } = await once(filters, [userId, principal.role, resource].join(), () =>
      this.resources.filterFor(principal, resource),
    );
    if (ownerId === filter.ownerId && only === filter.resource) return;
    throw new ForbiddenError('What you may read here has changed: connect again.');
  }

  private checkCount({ userId }: Principal): void {
    const count = [...this.open.values()].filter(({ ctx }) => ctx.principal.userId === userId).length;
    if (count < MAX_STREAMS_PER_USER) return;
    throw new TooManyEventStreamsError(
      `${MAX_STREAMS_PER_USER} event streams are open already: close one, or follow "me", which has everything of yours.`,
    );
  }

  private checkFollowers(resource: string): void {
    const most = this.resources.mostFollowers(resource);
    const count = [...this.open.values()].filter((plan) => plan.resource === resource).length;
    if (count < most) return;
    throw new TooManyEventStreamsError(`${most} event streams follow ${resource} already: close one.`);
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

function once<T>(known: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const answer = known.get(key) ?? ask();
  known.set(key, answer);
  return answer;
}
