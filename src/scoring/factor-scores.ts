import type { CatalogModel, PriceVersion } from '../catalog/index';

export const STRATEGIES = ['auto', 'cheap', 'best', 'fast'] as const;
export type Strategy = (typeof STRATEGIES)[number];

export const FACTORS = ['capability', 'context', 'speed', 'cost'] as const;
export type Factor = (typeof FACTORS)[number];

/** Each 0..1, already normalised; the score is their weighted sum plus the guide's prior. */
export type FactorScores = Readonly<Record<Factor, number>>;

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
  /** US dollars; an estimate for comparing, never booked. Undefined when the price is unknown. */
  readonly expectedCostUsd?: number;
}
