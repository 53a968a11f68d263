/** Pure arithmetic of re-rating: what a booked line costs at other prices, and the sums of many. */
import { bookedCost, type ModelPrices, upperBoundCost } from '../catalog/index';
import type { PicoUsd, TokenUsage, UsageSource } from '../common/index';
import type { Outcome } from './ledger.types';

/** A booked line, as far as its price goes. */
export interface PricedLine {
  readonly requestId: string;
  readonly attempt: number;
  /** UTC, `2026-01-31`. */
  readonly day: string;
  readonly model: string;
  readonly outcome: Outcome;
  readonly usageSource: UsageSource;
  readonly usage: TokenUsage;
  /** Undefined: no price was known. */
  readonly costPicoUsd?: PicoUsd;
  readonly priceVersion?: number;
}

/** By the rule that booked the line: a bound is a bound at every price. */
export function lineCost(price: ModelPrices, { usageSource, usage }: PricedLine): PicoUsd {
  return usageSource === 'upper_bound'
    ? upperBoundCost(price, usage.promptTokens ?? 0, usage.completionTokens ?? 0)
    : bookedCost(price, usage);
}

/** Nothing was sent for such a line: no price makes it cost anything. */
function isReused(usageSource: UsageSource): boolean {
  return usageSource === 'cached' || usageSource === 'shared';
}

/**
 * A process died under a hard budget that had held less than the bound: then what was held is booked, and that amount
 * follows from no price.
 */
export function isCappedByHold(own: ModelPrices | undefined, line: PricedLine): boolean {
  if (!own || line.outcome !== 'crashed' || line.usageSource !== 'upper_bound') return false;
  return line.costPicoUsd !== undefined && line.costPicoUsd < lineCost(own, line);
}

export interface RatedSum {
  readonly lines: number;
  readonly oldPicoUsd: PicoUsd;
  readonly newPicoUsd: PicoUsd;
}

export interface RatedTotals extends RatedSum {
  /** Lines that have a new cost; all others count with the cost that is booked. */
  readonly rerated: number;
  readonly models: ReadonlyMap<string, RatedSum>;
  readonly days: ReadonlyMap<string, RatedSum>;
  /** By model: it has no price in that book. */
  readonly unpriced: ReadonlyMap<string, RatedSum>;
  readonly kept: RatedSum;
  /** The first of them. */
  readonly keptLines: readonly PricedLine[];
}

type OpenSum = { -readonly [Name in keyof RatedSum]: RatedSum[Name] };

const KEPT_LINES_SHOWN = 100;

/** Adds up line by line; memory grows with models and days, not with lines. */
export class Rerating {
  private readonly all = nothing();
  private readonly models = new Map<string, OpenSum>();
  private readonly days = new Map<string, OpenSum>();
  private readonly unpriced = new Map<string, OpenSum>();
  private readonly kept = nothing();
  private readonly keptLines: PricedLine[] = [];
  private rerated = 0;

  /** @param own the version that the line was booked with. @param price of the other book. */
  add(line: PricedLine, own: ModelPrices | undefined, price: ModelPrices | undefined): void {
    const old = line.costPicoUsd ?? 0n;
    if (isCappedByHold(own, line)) {
      count(this.kept, old, old);
      if (this.keptLines.length < KEPT_LINES_SHOWN) this.keptLines.push(line);
      this.addTo(line, old, old);
    } else if (isReused(line.usageSource)) {
      this.addTo(line, old, 0n);
    } else if (!price) {
      count(sumOf(this.unpriced, line.model), old, old);
      this.addTo(line, old, old);
    } else {
      this.rerated += 1;
      this.addTo(line, old, lineCost(price, line));
    }
  }

  totals(): RatedTotals {
    const { all, rerated, models, days, unpriced, kept, keptLines } = this;
    return { ...all, rerated, models, days, unpriced, kept, keptLines };
  }

  private addTo({ model, day }: PricedLine, oldPicoUsd: PicoUsd, newPicoUsd: PicoUsd): void {
    count(this.all, oldPicoUsd, newPicoUsd);
    count(sumOf(this.models, model), oldPicoUsd, newPicoUsd);
    count(sumOf(this.days, day), oldPicoUsd, newPicoUsd);
  }
}

function nothing(): OpenSum {
  return { lines: 0, oldPicoUsd: 0n, newPicoUsd: 0n };
}

function sumOf(sums: Map<string, OpenSum>, key: string): OpenSum {
  let sum = sums.get(key);
  if (!sum) sums.set(key, (sum = nothing()));
  return sum;
}

function count(sum: OpenSum, oldPicoUsd: PicoUsd, newPicoUsd: PicoUsd): void {
  sum.lines += 1;
  sum.oldPicoUsd += oldPicoUsd;
  sum.newPicoUsd += newPicoUsd;
}
