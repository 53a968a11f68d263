import { newId } from '../../common/index';
import type { CapacityClaim } from './capacity-claim';
import type { CapacityAnswer, CapacityRefusal } from './capacity-store';

/** Why a call waits no longer without having been let through. */
export type GiveUpReason =
  /** It waited as long as it may, or would have to. */
  | 'patience'
  /** Too many wait already. */
  | 'queue_full'
  /** PostgreSQL cannot be asked. */
  | 'unknown'
  /** Its own signal. */
  | 'aborted';

export interface GivenUp {
  readonly reason: GiveUpReason;
  readonly refusal?: CapacityRefusal;
  readonly cause?: unknown;
}

/** Room for one upstream call. */
export interface CapacitySlot {
  /** How long it was waited for, and what for in the end; undefined: there was room at once. */
  readonly waitedMs: number;
  readonly refusal?: CapacityRefusal;
  /** The call was made and has ended. Only the first of the two counts. @param usedTokens undefined: nobody knows */
  end(usedTokens?: number): void;
  /** The call was never sent. */
  giveBack(): void;
}

/** A call that asks for room: at most one outcome, granted or given up. */
export class WaitingEntry {
  readonly id = newId();
  readonly askedAt = performance.now();
  /** As of the last time it was refused. */
  refusal?: CapacityRefusal;
  /** Its place before the calls of other processes, by PostgreSQL's clock. */
  since?: string;
  isSettled = false;
  private timer?: NodeJS.Timeout;
  private isDue = false;

  constructor(
    readonly claims: readonly CapacityClaim[],
    private readonly limits: { readonly patienceMs: number; readonly signal: AbortSignal },
    private readonly outcome: {
      readonly granted: () => void;
      readonly givenUp: (why: GivenUp) => void;
    },
  ) {
    this.timer = setTimeout(() => this.noteDue(), limits.patienceMs).unref();
    limits.signal.addEventListener('abort', this.abort, { once: true });
  }

  get waitedMs(): number {
    return performance.now() - this.askedAt;
  }

  get patienceMs(): number {
    return this.isDue ? 0 : Math.max(0, this.limits.patienceMs - this.waitedMs);
  }

  grant(): void {
    if (this.settle()) this.outcome.granted();
  }

  /** It shall go on waiting, unless its time has passed while it was asked for. */
  refuse({ refusal, since, isHopeless }: CapacityAnswer & { readonly refusal: CapacityRefusal }): void {
    this.refusal = refusal;
    this.since = since;
    if (isHopeless || this.isDue) this.giveUp({ reason: 'patience', refusal });
  }

  giveUp(why: GivenUp): void {
    if (this.settle()) this.outcome.givenUp(why);
  }

  private readonly abort = (): void => this.giveUp({ reason: 'aborted', cause: this.limits.signal.reason });

  /** Whoever has not been answered once gets that answer. */
  private noteDue(): void {
    this.isDue = true;
    if (this.refusal) this.giveUp({ reason: 'patience', refusal: this.refusal });
  }

  private settle(): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    clearTimeout(this.timer);
    this.limits.signal.removeEventListener('abort', this.abort);
    return true;
  }
}
