import { Injectable } from '@nestjs/common';
import type { RequestContext } from '../../common/index';

/** Undefined: not limited. Windows are wall-clock minutes and hours. */
export interface KeyLimits {
  readonly requestsPerMinute?: number;
  readonly requestsPerHour?: number;
  readonly tokensPerMinute?: number;
  readonly tokensPerHour?: number;
  readonly concurrency?: number;
}

export interface KeyBudget {
  readonly period: 'day' | 'month' | 'total';
  /** US dollars, decimal text. */
  readonly limitUsd: string;
  readonly mode: 'hard' | 'soft';
}

/** Limits and a budget of a key's own, below those of its owner. */
export interface KeyAllowances {
  readonly limits?: KeyLimits;
  readonly budget?: KeyBudget;
}

/** Where a key's allowances are kept. Declared here because keys are; `budget/` implements and binds it. */
export interface KeyAllowanceStore {
  /** @param keyId UUID of a key that was just made. @throws ValidationError */
  set(ctx: RequestContext, keyId: string, allowances: KeyAllowances): Promise<void>;
  /** By key UUID; keys without allowances are missing. */
  list(ctx: RequestContext, keyIds: readonly string[]): Promise<ReadonlyMap<string, KeyAllowances>>;
}

/** Holds the store that `budget/` binds when its module starts. */
@Injectable()
export class KeyAllowanceHost {
  private bound?: KeyAllowanceStore;

  bind(store: KeyAllowanceStore): void {
    this.bound = store;
  }

  /** Undefined in an application without budgets. */
  get store(): KeyAllowanceStore | undefined {
    return this.bound;
  }
}
