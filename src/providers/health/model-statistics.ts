/** What the attempts at one model were like in the last five minutes: exact counts, and the latest durations. */

import type { FailureKind } from './failure-verdict';

export interface AttemptFacts {
  /** Undefined: it answered. `aborted` is no failure of the provider's. */
  readonly failure?: FailureKind;
  readonly latencyMs: number;
  readonly firstTokenMs?: number;
}

interface Minute {
  minute: number;
  requests: number;
  cancelled: number;
  readonly failures: Map<string, number>;
}

interface Durations {
  readonly at: number;
  readonly latencyMs: number;
  readonly firstTokenMs?: number;
}

export interface RecentFigures {
  readonly requests: number;
  readonly cancelled: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly latenciesMs: readonly number[];
  readonly firstTokensMs: readonly number[];
  readonly lastSuccessAt?: number;
  readonly lastFailure?: { readonly kind: string; readonly at: number };
}

const MINUTE_MS = 60_000;
export const WINDOW_MINUTES = 5;
/** Durations of answers that are kept, the latest. */
const SAMPLES = 256;

export class ModelStatistics {
  private minutes: Minute[] = [];
  private readonly samples: Durations[] = [];
  private next = 0;
  private lastSuccessAt?: number;
  private lastFailure?: { readonly kind: string; readonly at: number };

  record(now: number, { failure, latencyMs, firstTokenMs }: AttemptFacts): void {
    const minute = this.minute(now);
    minute.requests += 1;
    if (failure === undefined) {
      this.lastSuccessAt = now;
      this.samples[this.next] = { at: now, latencyMs, firstTokenMs };
      this.next = (this.next + 1) % SAMPLES;
    } else if (failure === 'aborted') minute.cancelled += 1;
    else {
      minute.failures.set(failure, (minute.failures.get(failure) ?? 0) + 1);
      this.lastFailure = { kind: failure, at: now };
    }
  }

  recent(now: number): RecentFigures {
    const oldest = Math.floor(now / MINUTE_MS) - WINDOW_MINUTES + 1;
    const minutes = this.minutes.filter(({ minute }) => minute >= oldest);
    const samples = this.samples.filter(({ at }) => at >= now - WINDOW_MINUTES * MINUTE_MS);
    const failures: Record<string, number> = {};
    for (const [kind, count] of minutes.flatMap((minute) => [...minute.failures])) {
      failures[kind] = (failures[kind] ?? 0) + count;
    }
    return {
      requests: sum(minutes.map(({ requests }) => requests)),
      cancelled: sum(minutes.map(({ cancelled }) => cancelled)),
      failures,
      latenciesMs: samples.map(({ latencyMs }) => latencyMs),
      firstTokensMs: samples.map(({ firstTokenMs }) => firstTokenMs).filter((value) => value !== undefined),
      lastSuccessAt: this.lastSuccessAt,
      lastFailure: this.lastFailure,
    };
  }

  private minute(now: number): Minute {
    const minute = Math.floor(now / MINUTE_MS);
    const latest = this.minutes.at(-1);
    if (latest && latest.minute >= minute) return latest;
    const started: Minute = { minute, requests: 0, cancelled: 0, failures: new Map() };
    this.minutes = [...this.minutes.slice(1 - WINDOW_MINUTES), started];
    return started;
  }
}

/** Several models' figures as one. */
export function together(figures: readonly RecentFigures[]): RecentFigures {
  const failures: Record<string, number> = {};
  for (const [kind, count] of figures.flatMap((one) => Object.entries(one.failures))) {
    failures[kind] = (failures[kind] ?? 0) + count;
  }
  const successes = figures.map(({ lastSuccessAt }) => lastSuccessAt).filter((at) => at !== undefined);
  const last = figures.map(({ lastFailure }) => lastFailure).filter((failure) => failure !== undefined);
  return {
    requests: sum(figures.map(({ requests }) => requests)),
    cancelled: sum(figures.map(({ cancelled }) => cancelled)),
    failures,
    latenciesMs: figures.flatMap(({ latenciesMs }) => latenciesMs),
    firstTokensMs: figures.flatMap(({ firstTokensMs }) => firstTokensMs),
    lastSuccessAt: successes.length > 0 ? Math.max(...successes) : undefined,
    lastFailure: last.toSorted((one, other) => one.at - other.at).at(-1),
  };
}

/** The smallest value that at least this share of the values does not exceed; undefined without values. */
export function percentile(values: readonly number[], percent: number): number | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
