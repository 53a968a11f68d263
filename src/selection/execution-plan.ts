import type { TaskProfile } from '../analysis/index';
import type { CatalogModel, PriceVersion } from '../catalog/index';

export const STRATEGIES = ['auto', 'cheap', 'best', 'fast'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** Each 0..1, already normalised; the score is their weighted sum plus the guide's prior. */
export interface FactorScores {
  readonly capability: number;
  readonly context: number;
  readonly speed: number;
  readonly cost: number;
}

export interface PlannedModel {
  readonly model: CatalogModel;
  readonly price: PriceVersion;
  readonly score: number;
  readonly factors: FactorScores;
  /** What the guide added. */
  readonly prior: number;
}

/** Why a model was not considered. */
export interface FilteredModel {
  readonly modelId: string;
  readonly reason:
    | 'unavailable'
    | 'context_window'
    | 'vision'
    | 'tools'
    | 'json_schema'
    | 'streaming'
    | 'price_unknown'
    | 'retired'
    | 'blocked_by_guide'
    | 'not_asked_for';
  readonly detail: string;
}

/** What to try, in order. Frozen. */
export interface ExecutionPlan {
  /** UUID of the decision row. */
  readonly decisionId: string;
  readonly strategy: Strategy | 'pinned';
  readonly profile: TaskProfile;
  /** The first is chosen, the rest are its fallbacks. Never empty. */
  readonly candidates: readonly PlannedModel[];
  /** All scored models, best first; for the explanation. */
  readonly ranking: readonly PlannedModel[];
  readonly filtered: readonly FilteredModel[];
  readonly warnings: readonly string[];
  /** Versions of what decided. */
  readonly versions: {
    readonly catalog: string;
    readonly weights: string;
    readonly guide: string;
    readonly patterns: string;
  };
}
