/** The quality target: the cheapest model that is expected to be good enough. Pure. */
import type { CatalogModel } from '../catalog/index';

/** What a target compares models by. */
export interface TargetedModel {
  readonly model: Pick<CatalogModel, 'id' | 'isDeployment'>;
  /** Expected quality of its answer, 0..1. */
  readonly quality: number;
  /** US dollars; undefined when the price is unknown. */
  readonly expectedCostUsd?: number;
}

export interface TargetRanking<T extends TargetedModel> {
  /** Those that hold the target, cheapest (or worth the most) first. Never empty unless there was none. */
  readonly holding: readonly T[];
  /** The rest, best quality first. */
  readonly below: readonly T[];
  /** The best expected quality. */
  readonly best: number;
  /** What those that hold it reach: `quality` times `best`. */
  readonly threshold: number;
}

interface Target {
  /** 0 <= quality <= 1. */
  readonly quality: number;
  /** US dollars; then those that hold it are sorted by what they are worth less their cost. */
  readonly answerWorthUsd?: number;
  /** The prompt is unlike all that outcomes are known of: the best comes first, as far as an answer's worth allows. */
  readonly isNovel?: boolean;
}

/**
 * Sorts models by a target: which are expected to be at least `quality` times as good as the best of them? The order of
 * the models does not matter.
 */
export function rankByTarget<T extends TargetedModel>(
  models: readonly T[],
  { quality, answerWorthUsd, isNovel = false }: Target,
): TargetRanking<T> {
  const best = models.reduce((highest, model) => Math.max(highest, model.quality), 0);
  const threshold = quality * best;
  const holding = models
    .filter((model) => model.quality >= threshold)
    .sort(answerWorthUsd === undefined ? cheaper : worthMore(answerWorthUsd));
  return {
    holding: isNovel && answerWorthUsd !== undefined ? bestFirst(holding, answerWorthUsd) : holding,
    below: models.filter((model) => model.quality < threshold).sort(better),
    best,
    threshold,
  };
}

/** An unknown price is never the cheapest. Equal costs: the better one, then the vendor's own before deployments, then by id. */
export function cheaper(one: TargetedModel, other: TargetedModel): number {
  return compareCosts(one, other) || other.quality - one.quality || compareNames(one, other);
}

/** Quality times worth less cost. Equal ones: as `better`. */
export function worthMore(answerWorthUsd: number) {
  const net = ({ quality, expectedCostUsd = Infinity }: TargetedModel) =>
    quality * answerWorthUsd - expectedCostUsd;
  return (one: TargetedModel, other: TargetedModel): number =>
    net(one) === net(other) ? better(one, other) : net(other) - net(one);
}

function bestFirst<T extends TargetedModel>(models: readonly T[], answerWorthUsd: number): readonly T[] {
  const [usual] = models;
  if (!usual) return models;
  const best = bestWithin(models, usual, answerWorthUsd);
  return [best, ...models.filter((model) => model !== best)];
}

/** The best, unless it costs more beyond the usual choice than its answer is worth. */
export function bestWithin<T extends TargetedModel>(
  models: readonly T[],
  usual: T,
  answerWorthUsd: number,
): T {
  const best = models.reduce((first, model) => (better(model, first) < 0 ? model : first), usual);
  const more = (best.expectedCostUsd ?? Infinity) - (usual.expectedCostUsd ?? Infinity);
  return more <= best.quality * answerWorthUsd ? best : usual;
}

/** Equal qualities: the cheaper one first, then as `cheaper`. */
export function better(one: TargetedModel, other: TargetedModel): number {
  return other.quality - one.quality || compareCosts(one, other) || compareNames(one, other);
}

function compareCosts(one: TargetedModel, other: TargetedModel): number {
  const cost = one.expectedCostUsd ?? Infinity;
  const otherCost = other.expectedCostUsd ?? Infinity;
  return cost === otherCost ? 0 : cost - otherCost;
}

function compareNames({ model: one }: TargetedModel, { model: other }: TargetedModel): number {
  const deployed = Number(one.isDeployment ?? false) - Number(other.isDeployment ?? false);
  return deployed || (one.id < other.id ? -1 : 1);
}
