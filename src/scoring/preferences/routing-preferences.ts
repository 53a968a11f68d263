import { shortHash } from '../../config/index';
import { type FactorWeights, STRATEGIES, type Strategy, WEIGHED_FACTORS } from '../factor-scores';

/** How an owner wants to be routed where a request does not say. */
export interface RoutingPreferences {
  /** In place of the installation's weights. */
  readonly strategies: Readonly<Partial<Record<Strategy, FactorWeights>>>;
  /** Quality target of requests that name none, 0..1: the cheapest model expected to be that good beside the best. */
  readonly quality?: number;
  /** US dollars that an answer is worth which fully succeeds, of requests that say neither this nor a quality. */
  readonly answerWorthUsd?: number;
}

/** Short hash of the content: the same preferences have the same version. */
export function versionOf({ strategies, quality, answerWorthUsd }: RoutingPreferences): string {
  const weights = STRATEGIES.map((strategy) =>
    WEIGHED_FACTORS.map((factor) => strategies[strategy]?.[factor]),
  );
  return shortHash(
    JSON.stringify([weights, quality, ...(answerWorthUsd === undefined ? [] : [answerWorthUsd])]),
  );
}
