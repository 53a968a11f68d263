import type { TaskProfile } from '../analysis/index';
import type { ProviderId } from '../common/index';
import type { ScoredModel, Strategy } from '../scoring/index';

export { type FactorScores, STRATEGIES, type Strategy } from '../scoring/index';

/** A model with its price, its score and what the score is made of. */
export type PlannedModel = ScoredModel;

export const FILTER_REASONS = [
  'not_allowed',
  'unavailable',
  'context_window',
  'vision',
  'document',
  'audio',
  'video',
  'tools',
  'json_schema',
  'streaming',
  'price_unknown',
  'retired',
  'blocked_by_guide',
  'not_asked_for',
] as const;
export type FilterReason = (typeof FILTER_REASONS)[number];

/** Why a model was not considered. */
export interface FilteredModel {
  readonly modelId: string;
  readonly reason: FilterReason;
  readonly detail: string;
}

/** What attempts need of a plan, whatever kind of work it is for. */
export interface AttemptPlan {
  /** UUID of the decision row. */
  readonly decisionId: string;
  readonly strategy: Strategy | 'pinned';
  /** The first is chosen, the rest are its fallbacks. Never empty. */
  readonly candidates: readonly PlannedModel[];
  readonly warnings: readonly string[];
  /** The candidates' providers that a script calls; undefined: none. */
  readonly scripted?: readonly ProviderId[];
}

/** What to try, in order. Frozen. */
export interface ExecutionPlan extends AttemptPlan {
  readonly profile: TaskProfile;
  /** All scored models, best first; for the explanation. */
  readonly ranking: readonly PlannedModel[];
  readonly filtered: readonly FilteredModel[];
  /** What the caller's key was restricted to; undefined: nothing. */
  readonly allowedModels?: readonly string[];
  /** The providers that could be called when the plan was made. */
  readonly providers?: readonly ProviderId[];
  /** Versions of what decided. */
  readonly versions: {
    readonly catalog: string;
    readonly weights: string;
    readonly guide: string;
    readonly patterns: string;
    /** The weights of the task classifier. */
    readonly classifier: string;
  };
}
