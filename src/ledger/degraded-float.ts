import { Injectable } from '@nestjs/common';
import type { PicoUsd } from '../common/index';
import { AppConfig } from '../config/index';
import type { HoldAmounts } from './ledger.types';

/**
 * What this process may spend while the books cannot be reached (`DEGRADED_FLOAT_USD`): taken at the worst case before a
 * call, given back to its true cost after it. Whole again once PostgreSQL is back and the journal is booked.
 */
@Injectable()
export class DegradedFloat {
  readonly total: PicoUsd;
  private readonly held = new Map<string, PicoUsd>();
  private spent: PicoUsd = 0n;

  constructor(config: AppConfig) {
    this.total = config.degradedFloatPicoUsd;
  }

  get isEnabled(): boolean {
    return this.total > 0n;
  }

  get left(): PicoUsd {
    let left = this.total - this.spent;
    for (const amount of this.held.values()) left -= amount;
    return left;
  }

  /** What the request may cost at most, clamped to what is left; undefined when that does not pay the least of it. */
  take(requestId: string, { worstPicoUsd, minimumPicoUsd }: HoldAmounts): PicoUsd | undefined {
    const { left } = this;
    if (left <= 0n || minimumPicoUsd > left) return undefined;
    const amount = worstPicoUsd > left ? left : worstPicoUsd;
    this.held.set(requestId, amount);
    return amount;
  }

  holds(requestId: string): boolean {
    return this.held.has(requestId);
  }

  /** Ends what a request holds; nothing happens when it holds nothing. Cost undefined: as much as was held. */
  settle(requestId: string, cost: PicoUsd | undefined): void {
    const held = this.held.get(requestId);
    if (held === undefined) return;
    this.held.delete(requestId);
    this.spent += cost ?? held;
  }

  /** What was spent stands in the books now. */
  restore(): void {
    this.spent = 0n;
  }
}
