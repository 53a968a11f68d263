import { Injectable } from '@nestjs/common';
import type { ProviderId } from '../../common/index';
import { AppConfig } from '../../config/index';
import { AppLogger, Metrics } from '../../observability/index';
import { Breaker, type BreakerSettings, FIRST_PERIOD, type Ticket } from './breaker';
import { CircuitOpenError } from './circuit.errors';
import { type AttemptVerdict, type CircuitReason, verdictOf } from './failure-verdict';
import { monotonicNow } from './monotonic-now';

/** Whom an attempt calls, and with whose credential. */
export interface CircuitTarget {
  readonly provider: ProviderId;
  /** Catalog id. */
  readonly model: string;
  /** Of a credential of the caller's own; undefined: the installation's. */
  readonly credentialId?: string;
}

/** One breaker: of a model, or of a credential and so of the whole provider for whoever uses it. */
export interface Circuit {
  readonly provider: ProviderId;
  readonly model?: string;
  readonly credentialId?: string;
  readonly breaker: Breaker<CircuitReason>;
}

/** An attempt that was let through. */
export interface CircuitPass {
  /** Exactly once, with the failure if there was one. */
  leave(failure: unknown): void;
}

type Subject = 'model' | 'credential';

const MAX_CIRCUITS = 10_000;
const FREE_PASS: CircuitPass = Object.freeze({ leave: () => undefined });

/**
 * The circuit breakers of this process: one per model, one per credential, each from its first failure on. Without a
 * failure an attempt costs two look-ups.
 */
@Injectable()
export class Circuits {
  private readonly circuits = new Map<string, Circuit>();
  private readonly settings: BreakerSettings;

  constructor(
    config: AppConfig,
    private readonly logger: AppLogger,
    private readonly metrics: Metrics,
  ) {
    const { BREAKER_FAILURES, BREAKER_FAILURE_PERCENT, BREAKER_OPEN_MS, BREAKER_MAX_OPEN_MS } = config.vars;
    this.settings = {
      failures: BREAKER_FAILURES,
      failurePercent: BREAKER_FAILURE_PERCENT,
      openMs: BREAKER_OPEN_MS,
      maxOpenMs: Math.max(BREAKER_OPEN_MS, BREAKER_MAX_OPEN_MS),
    };
  }

  /**
   * Lets an attempt through, as a probe where a breaker is half-open.
   * @param candidates all that could still be called, `target` among them: when every one of them is left alone, the
   * one that failed the longest ago is tried earlier than its breaker would
   * @param isAnswering has the attempt's answer begun to arrive?
   * @throws CircuitOpenError
   */
  enter(
    target: CircuitTarget,
    candidates: () => readonly CircuitTarget[],
    isAnswering: () => boolean,
  ): CircuitPass {
    if (this.settings.failures === 0) return FREE_PASS;
    const now = monotonicNow();
    this.check(target, candidates, now);
    const model = this.ticket(modelKey(target), now, isAnswering);
    const credential = this.ticket(credentialKey(target), now, isAnswering);
    return {
      leave: (failure) => {
        const verdict = failure === undefined ? undefined : verdictOf(failure);
        this.end(target, 'model', model, verdict);
        this.end(target, 'credential', credential, verdict);
      },
    };
  }

  /**
   * The same question without taking the place of a probe, for those who are not ready to call yet.
   * @throws CircuitOpenError
   */
  require(target: CircuitTarget, candidates: () => readonly CircuitTarget[]): void {
    if (this.settings.failures > 0) this.check(target, candidates, monotonicNow());
  }

  /** Those of one credential: its own and its models'. Without an id, of the installation's. */
  list(provider: ProviderId, credentialId?: string): readonly Circuit[] {
    return [...this.circuits.values()].filter(
      (circuit) => circuit.provider === provider && circuit.credentialId === credentialId,
    );
  }

  /** Closes all breakers of a provider, whosever credential they are about. */
  forget(provider: ProviderId): void {
    for (const [key, circuit] of this.circuits) if (circuit.provider === provider) this.circuits.delete(key);
  }

  private check(target: CircuitTarget, candidates: () => readonly CircuitTarget[], now: number): void {
    if (this.circuits.size === 0) return;
    const shut = this.shut(target, now);
    if (!shut) return;
    const left = candidates();
    if (this.isLastResort(target, left, now)) return;
    const { provider, model } = target;
    this.metrics.refusals.inc({ provider, model });
    throw new CircuitOpenError({
      provider,
      model: shut.model,
      reason: shut.breaker.reason ?? 'overloaded',
      retryAfterMs: Math.min(...left.map((candidate) => this.waitMs(candidate, now))),
    });
  }

  /** The breaker that refuses the target for the longest time, if one does. */
  private shut(target: CircuitTarget, now: number): Circuit | undefined {
    const [first, second] = this.of(target).filter(({ breaker }) => breaker.waitMs(now) > 0);
    if (!first || !second) return first;
    return first.breaker.waitMs(now) >= second.breaker.waitMs(now) ? first : second;
  }

  private isLastResort(target: CircuitTarget, candidates: readonly CircuitTarget[], now: number): boolean {
    if (this.waitMs(target, now, true) > 0) return false;
    const failedAt = this.lastFailureAt(target);
    return candidates.every(
      (other) =>
        this.waitMs(other, now) > 0 &&
        (this.lastFailureAt(other) >= failedAt || this.waitMs(other, now, true) > 0),
    );
  }

  private waitMs(target: CircuitTarget, now: number, isLastResort?: boolean): number {
    return Math.max(0, ...this.of(target).map(({ breaker }) => breaker.waitMs(now, isLastResort)));
  }

  private lastFailureAt(target: CircuitTarget): number {
    return Math.max(0, ...this.of(target).map(({ breaker }) => breaker.lastFailureAt));
  }

  private of(target: CircuitTarget): readonly Circuit[] {
    const model = this.circuits.get(modelKey(target));
    const credential = this.circuits.get(credentialKey(target));
    return [model, credential].filter((circuit) => circuit !== undefined);
  }

  private ticket(key: string, now: number, isAnswering: () => boolean): Ticket {
    return this.circuits.get(key)?.breaker.enter(now, isAnswering) ?? { period: FIRST_PERIOD, isAnswering };
  }

  private end(target: CircuitTarget, about: Subject, ticket: Ticket, verdict?: AttemptVerdict): void {
    const now = monotonicNow();
    const key = about === 'model' ? modelKey(target) : credentialKey(target);
    if (verdict?.about === about) {
      const circuit = this.circuits.get(key) ?? this.create(key, target, about);
      circuit.breaker.fail(ticket, now, verdict.facts);
      return;
    }
    const breaker = this.circuits.get(key)?.breaker;
    if (verdict === undefined) breaker?.succeed(ticket, now);
    else breaker?.release(ticket);
  }

  private create(key: string, { provider, model, credentialId }: CircuitTarget, about: Subject): Circuit {
    if (this.circuits.size >= MAX_CIRCUITS) this.dropOne();
    const breaker: Breaker<CircuitReason> = new Breaker(this.settings, monotonicNow(), {
      onChange: () => this.tell(circuit),
    });
    const circuit: Circuit = {
      provider,
      model: about === 'model' ? model : undefined,
      credentialId,
      breaker,
    };
    this.circuits.set(key, circuit);
    return circuit;
  }

  /** The oldest that is closed, else the oldest. */
  private dropOne(): void {
    const [oldest] = this.circuits.keys();
    const closed = [...this.circuits].find(([, { breaker }]) => breaker.state === 'closed')?.[0];
    const dropped = closed ?? oldest;
    if (dropped !== undefined) this.circuits.delete(dropped);
  }

  private tell({ provider, model, breaker }: Circuit): void {
    const { state, reason, failuresInARow, since, retryAt } = breaker;
    this.metrics.circuits.inc({ provider, model: model ?? '', to: state });
    const openMs = state === 'open' ? Math.round(retryAt - since) : undefined;
    this.logger.event('circuit', { provider, model, state, reason, failuresInARow, openMs });
  }
}

/** A catalog id has a slash in it, a provider's id has none. */
function modelKey({ model, credentialId }: CircuitTarget): string {
  return credentialId === undefined ? model : `${model} ${credentialId}`;
}

function credentialKey({ provider, credentialId }: CircuitTarget): string {
  return credentialId === undefined ? provider : `${provider} ${credentialId}`;
}
