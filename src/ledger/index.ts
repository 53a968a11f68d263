export {
  type Budget,
  type BudgetChange,
  BudgetRepository,
  type NewBudget,
  type PlannedBudget,
} from './budget.repository';
export { reconcileUsage, type ReconciledUsage, type UsageClaim } from './integrity';
export {
  BudgetExceededError,
  ConcurrencyLimitError,
  type LimitErrorDetails,
  RequestLimitError,
  TokenLimitError,
} from './ledger.errors';
export { LedgerModule } from './ledger.module';
export {
  BUDGET_SCOPES,
  type BudgetScope,
  GLOBAL_SCOPE_ID,
  LIMIT_SCOPES,
  type LimitKind,
  type LimitScope,
  SCOPE_PREFIXES,
  scopeApiId,
} from './ledger.scopes';
export { LedgerService } from './ledger.service';
export * from './ledger.types';
export {
  type Limit,
  LimitRepository,
  type LimitWindow,
  type NewLimit,
  type PlannedLimit,
} from './limit.repository';
export { rateLimitHeaders, type RateLimitedCaller, type RateLimitState } from './rate-limit-state';
export { repeatOnConflict } from './repeat-on-conflict';
export { type LedgerDifference, Reconciliation } from './reconciliation.service';
