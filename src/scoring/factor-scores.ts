import type { CatalogModel, PriceVersion } from '../catalog/index';
import type { CapabilityTable } from './capabilities/capability-table';
import type { PerformanceTable } from './performance/performance-table';

export const STRATEGIES = ['auto', 'cheap', 'best', 'fast'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** What strategies weigh against each other. */
export const WEIGHED_FACTORS = ['capability', 'context', 'speed', 'cost'] as const;
export type FactorWeights = Readonly<Record<(typeof WEIGHED_FACTORS)[number], number>>;

const SUM_TOLERANCE = 1e-9;

/** Weights have to sum to 1. */
export function isSumOne({ capability, context, speed, cost }: FactorWeights): boolean {
  return Math.abs(capability + context + speed + cost - 1) < SUM_TOLERANCE;
}

export const FACTORS = [...WEIGHED_FACTORS, 'health'] as const;
export type Factor = (typeof FACTORS)[number];

/**
 * Each 0..1, already normalised, but capability, which is negative below its floor; the score is the weighted sum of the first
 * four, plus the guide's prior, less what failing health takes.
 */
export type FactorScores = Readonly<Record<Factor, number>>;

/** Everything beside the request and the catalog that a score depends on. Immutable: one plan sees one basis. */
export interface ScoringBasis {
  readonly strategy: Strategy;
  readonly weights: FactorWeights;
  readonly capabilities: CapabilityTable;
  readonly performance: PerformanceTable;
}

/** A model that may answer, before it is compared with the others. */
export interface PricedModel {
  readonly model: CatalogModel;
  /** Absent only for models that an administrator lets be called without a known price. */
  readonly price?: PriceVersion;
  /** What the guide adds to the score. */
  readonly prior: number;
}

export interface ScoredModel extends PricedModel {
  readonly score: number;
  readonly factors: FactorScores;
  /** Expected quality of its answer, 0..1. */
  readonly quality: number;
  /** US dollars; an estimate for comparing, never booked. Undefined when the price is unknown. */
  readonly expectedCostUsd?: number;
}
