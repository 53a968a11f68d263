import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { newId } from '../../common/index';
import { AppConfig } from '../../config/index';
import { Notifications } from '../../database/index';
import { toServiceUnavailable } from '../../errors/index';
import { AppLogger } from '../../observability/index';
import type { CapacityClaim } from './capacity-claim';
import { type CapacityAnswer, CapacityStore, type EndedCall, type HeldCall } from './capacity-store';
import { type CapacitySlot, type GivenUp, WaitingEntry } from './waiting-call';

/** The longest pause between two questions while somebody waits; every reason to ask earlier is only a hint. */
const POLL_MS = 1000;
const BEATS_PER_LEASE = 5;

/** Outcome of asking for room. */
export type CapacityOutcome = { readonly slot: CapacitySlot } | { readonly givenUp: GivenUp };

/**
 * All calls of this process that are under way at limited providers or wait to be. One question at a time goes to
 * PostgreSQL and asks for all that wait in their order; what ended is told with it. While nothing is under way and
 * nobody waits there is neither question nor timer.
 */
@Injectable()
export class CapacityQueue implements OnApplicationShutdown {
  private readonly processId = newId();
  private readonly leaseMs: number;
  private waiting: WaitingEntry[] = [];
  private ended: EndedCall[] = [];
  /** Granted, and not yet known as ended to PostgreSQL. */
  private readonly held = new Map<string, HeldCall>();
  /** Scopes where this process may stand first in line. */
  private lined = new Set<string>();
  private readonly known = new Set<string>();
  private isSyncDue = false;
  private isAgain = false;
  private isClosing = false;
  private mayReapAt = 0;
  private turning?: Promise<void>;
  private timer?: NodeJS.Timeout;

  constructor(
    config: AppConfig,
    private readonly store: CapacityStore,
    private readonly notifications: Notifications,
    private readonly logger: AppLogger,
  ) {
    this.leaseMs = config.vars.HOLD_LEASE_MS;
  }

  /** Resolves when there is room, or when the call waits no longer. Never rejects. */
  ask(
    claims: readonly CapacityClaim[],
    limits: { readonly patienceMs: number; readonly signal: AbortSignal },
  ): Promise<CapacityOutcome> {
    const { signal } = limits;
    if (signal.aborted) return Promise.resolve({ givenUp: { reason: 'aborted', cause: signal.reason } });
    if (this.isClosing) return Promise.resolve({ givenUp: { reason: 'unknown' } });
    if (this.known.size === 0) this.listen();
    for (const { scope } of claims) this.known.add(scope);
    return new Promise((resolve) => {
      const entry: WaitingEntry = new WaitingEntry(claims, limits, {
        granted: () => resolve({ slot: this.slot(entry) }),
        givenUp: (givenUp) => {
          this.remove(entry);
          resolve({ givenUp });
        },
      });
      this.waiting.push(entry);
      this.kick();
    });
  }

  /** How many calls of this process wait for room in a scope; those that were never refused do not count. */
  waitingFor(scope: string): number {
    return this.waiting.filter(
      ({ refusal, claims }) => refusal && claims.some((claim) => claim.scope === scope),
    ).length;
  }

  async onApplicationShutdown(): Promise<void> {
    this.isClosing = true;
    clearTimeout(this.timer);
    await this.turning;
    if (this.known.size === 0) return;
    try {
      if (this.ended.length > 0 || this.lined.size > 0) await this.turn();
      if (this.held.size === 0) await this.store.leave(this.processId);
    } catch (error) {
      this.logger.warn(`Capacities could not be given back, they run out: ${(error as Error).message}`);
    }
  }

  private listen(): void {
    this.notifications.on('lattice_capacity', (processId) => {
      if (processId !== this.processId && this.waiting.length > 0) this.kick();
    });
    this.notifications.onReconnect(() => {
      this.reapLater();
      if (this.held.size > 0 || this.waiting.length > 0) this.kick();
    });
  }

  /** What kept this process from PostgreSQL may have kept the others from renewing their leases. */
  private reapLater(): void {
    this.mayReapAt = performance.now() + this.leaseMs;
  }

  private remove(entry: WaitingEntry): void {
    this.waiting = this.waiting.filter((other) => other !== entry);
    // Whoever waits behind, here or elsewhere, need not wait for a place that nobody has.
    if (this.lined.size > 0) this.kick();
  }

  private slot(entry: WaitingEntry): CapacitySlot {
    const { id, claims, waitedMs, refusal } = entry;
    let isOver = false;
    const over = (end: Pick<EndedCall, 'isSent' | 'usedTokens'>): void => {
      if (isOver) return;
      isOver = true;
      this.tellEnd({ id, claims, ...end });
    };
    return {
      waitedMs,
      refusal,
      end: (usedTokens) => over({ isSent: true, usedTokens }),
      giveBack: () => over({ isSent: false }),
    };
  }

  private tellEnd(ended: EndedCall): void {
    this.ended.push(ended);
    this.kick();
  }

  private kick(): void {
    if (this.isClosing) return;
    this.isAgain = true;
    this.turning ??= this.turns().finally(() => {
      this.turning = undefined;
      // Somebody who was told by the last turn may have asked again before it was over.
      if (this.isAgain) this.kick();
      else this.schedule();
    });
  }

  private async turns(): Promise<void> {
    while (this.isAgain && !this.isClosing) {
      this.isAgain = false;
      await this.turn();
    }
  }

  private async turn(): Promise<void> {
    const waiting = [...this.waiting];
    const { ended, lined } = this;
    const held = this.isSyncDue ? [...this.held.values()] : undefined;
    const hadHeld = this.held.size > 0;
    this.ended = [];
    const scopes = held ? this.known : scopesOf([...waiting, ...ended], lined);
    try {
      const { isNew, answers } = await this.store.turn(this.processId, this.leaseMs, {
        ended,
        waiting,
        held,
        scopes,
        mayReap: performance.now() >= this.mayReapAt,
      });
      for (const { id } of ended) this.held.delete(id);
      this.isSyncDue = isNew && hadHeld && !held;
      if (this.isSyncDue) this.isAgain = true;
      this.answer(waiting, answers);
    } catch (error) {
      this.ended = [...ended, ...this.ended];
      this.fail(waiting, error);
    }
  }

  private answer(waiting: readonly WaitingEntry[], answers: readonly CapacityAnswer[]): void {
    const byId = new Map(answers.map((answer) => [answer.id, answer]));
    for (const entry of waiting) {
      const answer = byId.get(entry.id);
      if (!answer) continue;
      const { refusal } = answer;
      if (refusal) entry.refuse({ ...answer, refusal });
      else this.granted(entry);
    }
    this.waiting = this.waiting.filter(({ isSettled }) => !isSettled);
    this.boundQueue();
    this.lined = scopesOf(this.waiting.filter(({ refusal }) => refusal));
  }

  /** Whoever has gone meanwhile gives back at once what came too late. */
  private granted(entry: WaitingEntry): void {
    const { id, claims, isSettled } = entry;
    this.held.set(id, { id, claims });
    if (isSettled) this.tellEnd({ id, claims, isSent: false });
    else entry.grant();
  }

  /** The latest of those that found no room leave when more wait than may. */
  private boundQueue(): void {
    const lengths = new Map<string, number>();
    for (const entry of this.waiting) {
      const { refusal, claims } = entry;
      if (!refusal) continue;
      const isFull = claims.some(({ scope, queueLength }) => (lengths.get(scope) ?? 0) >= queueLength);
      if (isFull) entry.giveUp({ reason: 'queue_full', refusal });
      else for (const { scope } of claims) lengths.set(scope, (lengths.get(scope) ?? 0) + 1);
    }
  }

  /** What PostgreSQL granted, but could not tell, is found by comparing as soon as it answers again. */
  private fail(waiting: readonly WaitingEntry[], error: unknown): void {
    if (!toServiceUnavailable(error)) {
      this.logger.error(`Capacities could not be asked for: ${(error as Error).message}`);
    }
    this.isSyncDue = true;
    this.reapLater();
    for (const entry of waiting) entry.giveUp({ reason: 'unknown', refusal: entry.refusal, cause: error });
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (this.isClosing) return;
    let pauseMs = this.held.size > 0 ? this.leaseMs / BEATS_PER_LEASE : Infinity;
    if (this.isSyncDue || this.ended.length > 0 || this.waiting.length > 0)
      pauseMs = Math.min(pauseMs, POLL_MS);
    for (const { refusal } of this.waiting) pauseMs = Math.min(pauseMs, refusal?.waitMs ?? Infinity);
    if (pauseMs === Infinity) return;
    this.timer = setTimeout(() => this.kick(), Math.max(1, Math.ceil(pauseMs))).unref();
  }
}

function scopesOf(
  calls: readonly { readonly claims: readonly CapacityClaim[] }[],
  more: Iterable<string> = [],
): Set<string> {
  return new Set([...more, ...calls.flatMap(({ claims }) => claims.map(({ scope }) => scope))]);
}
