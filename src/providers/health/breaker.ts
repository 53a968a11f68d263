/**
 * The state machine of one circuit breaker, without clock and timers of its own. Closed lets every call pass and counts
 * failures; open refuses until its time is up; then half-open: one call at a time passes as a probe and decides.
 */
import { FailureRate } from './failure-rate';

export const CIRCUIT_STATES = ['closed', 'open', 'half_open'] as const;
export type CircuitState = (typeof CIRCUIT_STATES)[number];

export interface BreakerSettings {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** Open also when more than this share of a minute's outcomes failed, once there are enough to tell. */
  readonly failurePercent: number;
  /** First open time; it doubles with every probe that fails. */
  readonly openMs: number;
  readonly maxOpenMs: number;
}

/** A call that was let through. */
export interface Ticket {
  /** The breaker's period it belongs to: outcomes of earlier periods say nothing about the present one. */
  period: object;
  /** Of a probe: has its answer begun? Then the provider is well, however long the answer goes on. */
  readonly isAnswering: () => boolean;
}

/** What the end of a call says about the provider's health. */
export type Verdict = 'success' | 'failure' | 'nothing';

export interface FailureFacts<Reason extends string = string> {
  readonly reason: Reason;
  /** Opens at once, however many failed before. */
  readonly isCertain?: boolean;
  /** The provider said how long it will refuse, milliseconds. */
  readonly askedMs?: number;
}

/** The period before anything ever failed. */
export const FIRST_PERIOD: object = Object.freeze({});

const ENOUGH_TO_TELL = 20;
/** A probe that has neither answered nor failed by then makes room for another. */
const PROBE_PATIENCE_MS = 30_000;
const JITTER = 0.2;

export interface BreakerHost {
  /** After every change of state. */
  readonly onChange?: () => void;
  /** 0 to 1, for the jitter of open times. */
  readonly random?: () => number;
}

export class Breaker<Reason extends string = string> {
  state: CircuitState = 'closed';
  failuresInARow = 0;
  /** Of the latest failure. */
  reason?: Reason;
  lastFailureAt = 0;
  /** When the present state began. */
  since: number;
  /** While open: when a probe may pass. */
  retryAt = 0;
  private openings = 0;
  private probe?: { readonly ticket: Ticket; readonly at: number };
  private readonly rate = new FailureRate();
  private period = FIRST_PERIOD;

  constructor(
    private readonly settings: BreakerSettings,
    now: number,
    private readonly host: BreakerHost = {},
  ) {
    this.since = now;
  }

  /**
   * Milliseconds until a call may be let through; 0: now.
   * @param isLastResort nothing else is left to call: then a model is tried again after the first open time already
   */
  waitMs(now: number, isLastResort = false): number {
    this.heed(now);
    if (this.state === 'closed') return 0;
    if (this.probe) return Math.max(1, this.probe.at + PROBE_PATIENCE_MS - now);
    const retryAt = isLastResort
      ? Math.min(this.retryAt, this.lastFailureAt + this.settings.openMs)
      : this.retryAt;
    return Math.max(0, retryAt - now);
  }

  /** Lets a call through; `waitMs` was 0. */
  enter(now: number, isAnswering: () => boolean): Ticket {
    const ticket: Ticket = { period: this.period, isAnswering };
    if (this.state === 'closed') return ticket;
    if (this.state === 'open') this.become('half_open', now);
    ticket.period = this.period;
    this.probe = { ticket, at: now };
    return ticket;
  }

  succeed(ticket: Ticket, now: number): void {
    if (ticket.period !== this.period) return;
    if (this.state === 'half_open') return this.close(now);
    this.failuresInARow = 0;
    this.rate.add(now, false);
  }

  fail(ticket: Ticket, now: number, facts: FailureFacts<Reason>): void {
    if (ticket.period !== this.period) return;
    this.reason = facts.reason;
    this.lastFailureAt = now;
    this.failuresInARow += 1;
    if (this.state === 'half_open') return this.open(now, facts.askedMs);
    this.rate.add(now, true);
    if (facts.isCertain || this.isEnough()) this.open(now, facts.askedMs);
  }

  /** The call ended without a word about the provider's health: a probe of that kind makes room for the next. */
  release(ticket: Ticket): void {
    if (this.probe?.ticket === ticket) this.probe = undefined;
  }

  private isEnough(): boolean {
    if (this.failuresInARow >= this.settings.failures) return true;
    const { total, failures } = this.rate.counts;
    return total >= ENOUGH_TO_TELL && failures * 100 > total * this.settings.failurePercent;
  }

  /** A probe whose answer has begun closes the breaker; one that hangs gives its place away. */
  private heed(now: number): void {
    if (this.state !== 'half_open' || !this.probe) return;
    const { ticket, at } = this.probe;
    if (ticket.isAnswering()) {
      this.close(now);
      // Should that answer be cut later, it counts like any other.
      ticket.period = this.period;
    } else if (now - at >= PROBE_PATIENCE_MS) this.probe = undefined;
  }

  private open(now: number, askedMs = 0): void {
    this.openings += 1;
    const { openMs, maxOpenMs } = this.settings;
    const doubled = Math.min(openMs * 2 ** (this.openings - 1), maxOpenMs);
    const spread = doubled * (1 - JITTER + 2 * JITTER * (this.host.random ?? Math.random)());
    this.retryAt = now + Math.round(Math.min(Math.max(spread, askedMs), maxOpenMs));
    this.become('open', now);
  }

  private close(now: number): void {
    this.openings = 0;
    this.failuresInARow = 0;
    this.reason = undefined;
    this.rate.clear();
    this.become('closed', now);
  }

  private become(state: CircuitState, now: number): void {
    this.state = state;
    this.since = now;
    this.period = {};
    this.probe = undefined;
    this.host.onChange?.();
  }
}
