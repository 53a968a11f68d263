/** Compares embedding models; depends on nothing but the catalog and the price book. */
import type { CatalogModel, PriceVersion } from '../catalog/index';
import type { PlannedModel, Strategy } from './execution-plan';

const SPEED = { fast: 1, medium: 0.5, slow: 0 } as const;
/** Good vectors come first; asked for cheap or fast ones, that counts more. */
const WEIGHTS: Readonly<Record<Strategy, { quality: number; speed: number; cost: number }>> = {
  auto: { quality: 1, speed: 0, cost: 0 },
  best: { quality: 1, speed: 0, cost: 0 },
  cheap: { quality: 0.3, speed: 0, cost: 0.7 },
  fast: { quality: 0.5, speed: 0.5, cost: 0 },
};
/** A million tokens at this price, in pico-USD, are worth half of what free ones are. */
const HALF_WORTH_PICO = 100_000_000_000;
const TOKENS_PER_MILLION = 1_000_000;

export interface PricedEmbeddingModel {
  readonly model: CatalogModel;
  readonly price?: PriceVersion;
}

export function scoreEmbedding({ model, price }: PricedEmbeddingModel, strategy: Strategy): PlannedModel {
  const factors = {
    capability: model.embedding?.quality ?? 0,
    context: 1,
    speed: SPEED[model.speed],
    cost: price ? 1 / (1 + perMillion(price) / HALF_WORTH_PICO) : 0,
    health: 1,
  };
  const weights = WEIGHTS[strategy];
  const score =
    factors.capability * weights.quality + factors.speed * weights.speed + factors.cost * weights.cost;
  return Object.freeze({ model, price, prior: 0, score, factors, quality: factors.capability });
}

/** Best first; of equal ones the cheaper, then the vendor's own before deployments, then by id. */
export function rankEmbeddings(
  models: readonly PricedEmbeddingModel[],
  strategy: Strategy,
): readonly PlannedModel[] {
  return models.map((model) => scoreEmbedding(model, strategy)).toSorted(compare);
}

function compare(one: PlannedModel, other: PlannedModel): number {
  return (
    other.score - one.score ||
    other.factors.cost - one.factors.cost ||
    Number(one.model.isDeployment ?? false) - Number(other.model.isDeployment ?? false) ||
    (one.model.id < other.model.id ? -1 : 1)
  );
}

function perMillion({ prices }: PriceVersion): number {
  return Number(prices.inputPicoUsd) * TOKENS_PER_MILLION;
}
