export { type Budget, BudgetRepository, type NewBudget } from './budget.repository';
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
  BUDGET_MODES,
  BUDGET_PERIODS,
  BUDGET_SCOPES,
  type BudgetMode,
  type BudgetPeriod,
  type BudgetScope,
  LIMIT_KINDS,
  LIMIT_SCOPES,
  type LimitKind,
  GLOBAL_SCOPE_ID,
  type LimitScope,
} from './ledger.scopes';
export { LedgerService } from './ledger.service';
export * from './ledger.types';
export {
  type Limit,
  LimitRepository,
  type LimitValues,
  type LimitWindow,
  type NewLimit,
} from './limit.repository';
export { rateLimitHeaders, type RateLimitedCaller, type RateLimitState } from './rate-limit-state';
export { type LedgerDifference, Reconciliation } from './reconciliation.service';
