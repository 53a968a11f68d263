import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { BudgetMode, BudgetPeriod, LimitValues, RequestContext } from '../../common/index';

export interface KeyBudget {
  readonly period: BudgetPeriod;
  /** US dollars, decimal text. */
  readonly limitUsd: string;
  readonly mode: BudgetMode;
}

/** Limits and a budget of a key's own, below those of its owner. */
export interface KeyAllowances {
  readonly limits?: LimitValues;
  readonly budget?: KeyBudget;
}

/** Where a key's allowances are kept. Declared here because keys are; `budget/` implements and binds it. */
export interface KeyAllowanceStore {
  /**
   * Comes last in the transaction that makes the key: what asks for money waits until that ends.
   * @param keyId UUID
   * @returns what is to be called once the transaction is committed
   * @throws ForbiddenError, ServiceUnavailableError
   */
  set(
    ctx: RequestContext,
    keyId: string,
    allowances: KeyAllowances,
    manager: EntityManager,
  ): Promise<() => void>;
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
