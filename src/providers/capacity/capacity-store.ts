/** The functions in PostgreSQL that keep the capacities, called over the hot pool. Nothing else writes these tables. */
import { Inject, Injectable, Optional } from '@nestjs/common';
import { HotPool } from '../../database/index';
import type { CapacityClaim, CapacityLimit } from './capacity-claim';

/** A test's clock; without it the database's own clock decides. */
export const CAPACITY_NOW = Symbol('CAPACITY_NOW');

export interface HeldCall {
  readonly id: string;
  readonly claims: readonly CapacityClaim[];
}

export interface WaitingCall extends HeldCall {
  /** What PostgreSQL said when it first heard of it. */
  readonly since?: string;
  /** Milliseconds that it would wait still. */
  readonly patienceMs: number;
}

export interface EndedCall extends HeldCall {
  /** Undefined: as estimated. */
  readonly usedTokens?: number;
  readonly isSent: boolean;
}

export interface CapacityTurn {
  readonly ended: readonly EndedCall[];
  readonly waiting: readonly WaitingCall[];
  /** Every call that is under way here, when PostgreSQL may have another idea of it. */
  readonly held?: readonly HeldCall[];
  /** All scopes that the above is about. */
  readonly scopes: Iterable<string>;
  /** Count processes whose lease has run out as dead. */
  readonly mayReap: boolean;
}

export interface CapacityRefusal {
  readonly scope: string;
  readonly kind: CapacityLimit;
  /** Until there is room, as far as time alone decides. */
  readonly waitMs: number | null;
}

export interface CapacityAnswer {
  readonly id: string;
  /** Absent: granted. */
  readonly refusal?: CapacityRefusal;
  /** There will be no room within its patience. */
  readonly isHopeless?: boolean;
  /** Since when it waits, by PostgreSQL's clock. */
  readonly since?: string;
}

export interface TurnResult {
  /** PostgreSQL did not know this process, or no longer. */
  readonly isNew: boolean;
  readonly answers: readonly CapacityAnswer[];
}

export interface CapacityFigures {
  readonly running: number;
  readonly requests: number;
  readonly tokens: number;
}

@Injectable()
export class CapacityStore {
  constructor(
    private readonly pool: HotPool,
    @Optional() @Inject(CAPACITY_NOW) private readonly now?: () => Date,
  ) {}

  /** One round trip for all that a process has to say and to ask. */
  async turn(processId: string, leaseMs: number, turn: CapacityTurn): Promise<TurnResult> {
    const { ended, waiting, held, scopes, mayReap } = turn;
    const asked = {
      scopes: [...scopes],
      mayReap,
      held: held?.map(({ id, claims }) => ({ id, scopes: claims })),
      ended: ended.map(({ id, claims, usedTokens, isSent }) => ({
        id,
        scopes: claims.map(({ scope }) => scope),
        tokens: usedTokens,
        isSent,
      })),
      waiting: waiting.map(({ id, claims, since, patienceMs }) => ({
        id,
        scopes: claims,
        since,
        patienceMs,
      })),
    };
    const { rows } = await this.pool.query<{ answer: TurnResult }>({
      name: 'capacity_turn',
      text: 'select capacity_turn($1, $2, $3, $4) as answer',
      values: [processId, leaseMs, JSON.stringify(asked), this.time()],
    });
    return rows[0]?.answer ?? { isNew: false, answers: [] };
  }

  /** By scope: what is under way and what counts in the minute that ends now, over all processes. */
  async usage(scopes: readonly string[]): Promise<Readonly<Record<string, CapacityFigures>>> {
    const { rows } = await this.pool.query<{ answer: Record<string, CapacityFigures> }>(
      'select capacity_usage($1, $2) as answer',
      [scopes, this.time()],
    );
    return rows[0]?.answer ?? {};
  }

  /** The process leaves with nothing under way. */
  async leave(processId: string): Promise<void> {
    await this.pool.query('delete from capacity_processes where id = $1', [processId]);
  }

  private time(): Date | null {
    return this.now?.() ?? null;
  }
}
