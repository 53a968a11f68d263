/** What budgets and limits can be set on. */
export const BUDGET_SCOPES = ['global', 'user', 'project', 'key', 'run'] as const;
export type BudgetScope = (typeof BUDGET_SCOPES)[number];

/** UTC; counters roll over at midnight by themselves. */
export const BUDGET_PERIODS = ['day', 'month', 'total'] as const;
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];

/** Hard: the worst case is reserved and nothing goes beyond it. Soft: the estimate is reserved, and exceeding it warns. */
export const BUDGET_MODES = ['hard', 'soft'] as const;
export type BudgetMode = (typeof BUDGET_MODES)[number];

export const LIMIT_SCOPES = ['global', 'user', 'key'] as const;
export type LimitScope = (typeof LIMIT_SCOPES)[number];

/** Windows are wall-clock minutes and hours. */
export const LIMIT_KINDS = [
  'requests_per_minute',
  'requests_per_hour',
  'tokens_per_minute',
  'tokens_per_hour',
  'concurrency',
] as const;
export type LimitKind = (typeof LIMIT_KINDS)[number];

/** The scope id of the global scope in the database. */
export const GLOBAL_SCOPE_ID = '00000000-0000-0000-0000-000000000000';
