import { Injectable, type OnModuleInit } from '@nestjs/common';
import { SerialQueue } from '../common/index';
import { Notifications } from '../database/index';
import { EventResources } from './event-resources';
import { TooManyEventStreamsError } from './events.errors';

/** A place among those who follow a resource at once. */
export interface FollowerSeat {
  readonly resource: string;
  /** Called when it is lost for good. */
  onLost?: (error: TooManyEventStreamsError) => void;
}

/** Where in which session of PostgreSQL a seat is. */
interface Place {
  readonly number: number;
  readonly session: number;
}

/** Any fixed number: the keys of these locks are apart from all others. */
const LOCK_SEED = 4243;
const KEY = `hashtextextended($1::text || ' ' || seat, ${LOCK_SEED})`;
/** A session gets a lock that it has: it must ask for seats only that are not its own. */
const TAKE = `select seat from unnest($2::integer[]) as seat where pg_try_advisory_lock(${KEY}) limit 1`;
const LEAVE = `select pg_advisory_unlock(${KEY}) from unnest($2::integer[]) as seat`;
const LOOK = 'select 1';

/**
 * How many follow a resource, over all processes: each has one of so many seats, a lock that PostgreSQL keeps for the
 * session of the process and frees in the moment it is gone. Seats whose session was lost are taken again.
 */
@Injectable()
export class FollowerSeats implements OnModuleInit {
  private readonly places = new Map<FollowerSeat, Place>();
  /** One after the other: what is free is known by what is taken. */
  private readonly turns = new SerialQueue();
  private session = 0;

  constructor(
    private readonly notifications: Notifications,
    private readonly resources: EventResources,
  ) {}

  onModuleInit(): void {
    this.notifications.onReconnect(() => {
      this.session += 1;
      this.turns.run(() => this.takeAgain()).catch(() => undefined);
    });
  }

  /**
   * To be left by `leave`. Undefined: as many may follow as like to.
   * @throws TooManyEventStreamsError, ServiceUnavailableError
   */
  async take(resource: string): Promise<FollowerSeat | undefined> {
    if (this.resources.mostFollowers(resource) === Infinity) return undefined;
    const seat: FollowerSeat = { resource };
    await this.turns.run(() => this.place(seat));
    return seat;
  }

  leave(seat: FollowerSeat | undefined): void {
    // What PostgreSQL cannot be told now has ended with the session.
    if (seat) this.turns.run(() => this.free(seat)).catch(() => undefined);
  }

  /** Makes a connection anew that only looks open: PostgreSQL may have freed its seats. Never rejects. */
  async check(): Promise<void> {
    if (this.places.size > 0) await this.notifications.query(LOOK, []).catch(() => undefined);
  }

  private async place(seat: FollowerSeat): Promise<void> {
    const { resource } = seat;
    const most = this.resources.mostFollowers(resource);
    const numbers = Array.from({ length: most }, (_, index) => index + 1);
    const own = this.ownNumbers(resource);
    const free = numbers.filter((number) => !own.has(number));
    const [found] = await this.notifications.query<{ seat: number }>(TAKE, [resource, free]);
    if (!found)
      throw new TooManyEventStreamsError(`${most} event streams follow ${resource} already: close one.`);
    this.places.set(seat, { number: found.seat, session: this.session });
  }

  private ownNumbers(resource: string): Set<number> {
    const own = [...this.places].filter(
      ([seat, { session }]) => seat.resource === resource && session === this.session,
    );
    return new Set(own.map(([, { number }]) => number));
  }

  private async free(seat: FollowerSeat): Promise<void> {
    const place = this.places.get(seat);
    this.places.delete(seat);
    if (place?.session === this.session)
      await this.notifications.query(LEAVE, [seat.resource, [place.number]]);
  }

  private async takeAgain(): Promise<void> {
    for (const [seat, { session }] of this.places) {
      if (session === this.session) continue;
      try {
        await this.place(seat);
      } catch (error) {
        if (!(error instanceof TooManyEventStreamsError)) throw error;
        this.places.delete(seat);
        seat.onLost?.(error);
      }
    }
  }
}
