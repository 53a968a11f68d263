import type { TaskProfile } from '../analysis/index';
import type { ProviderId } from '../common/index';
import type { FactorWeights, ScoredModel, Strategy } from '../scoring/index';

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
  'below_target',
] as const;
export type FilterReason = (typeof FILTER_REASONS)[number];

/** Why a model was not considered. */
export interface FilteredModel {
  readonly modelId: string;
  readonly reason: FilterReason;
  readonly detail: string;
}

/** Who set a quality target. */
export const TARGET_SOURCES = ['request', 'owner', 'experiment'] as const;

/**
 * The cheapest model is wanted whose expected quality is at least this share of the best one's; 0 <= quality <= 1. With
 * a worth, of these the one that is worth the most less its cost.
 */
export interface QualityTarget {
  readonly quality: number;
  /** US dollars that an answer is worth which fully succeeds. */
  readonly answerWorthUsd?: number;
  readonly source: (typeof TARGET_SOURCES)[number];
}

/** A target as one request met it. */
export interface MetTarget extends QualityTarget {
  /** The best expected quality of the models that can serve the request. */
  readonly best: number;
  /** What a model must reach: `quality` times `best`. */
  readonly threshold: number;
  /** The prompt is unlike all data sets that outcomes came from; absent: it is not. */
  readonly isNovel?: true;
}

/** The arm of an experiment that a request was given. */
export interface ExperimentArm {
  /** UUID. */
  readonly id: string;
  readonly arm: string;
  /** Catalog id of the model that the arm puts first. */
  readonly model?: string;
}

/** Versions of what decided, or of what is known of the request. */
export interface DecisionVersions {
  readonly catalog: string;
  /** The highest number in the price book. */
  readonly prices: number;
  readonly weights: string;
  readonly guide: string;
  readonly patterns: string;
  /** The weights of the task classifier. */
  readonly classifier: string;
  /** What outcomes taught of the models. */
  readonly capabilities: string;
  /** Measured speed and failures. */
  readonly performance: string;
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
  /** The providers that could be called for this request when the plan was made. */
  readonly providers?: readonly ProviderId[];
  /** The target that the candidates hold. */
  readonly target?: MetTarget;
  readonly experiment?: ExperimentArm;
  /** The owner's own weights, where they took the place of the installation's. */
  readonly ownWeights?: FactorWeights;
  readonly versions: DecisionVersions;
}
