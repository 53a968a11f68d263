import type { CatalogModel } from '../catalog/index';
import type { PlannedModel } from './execution-plan';

/** The chosen model and at most five fallbacks. */
export const MAX_CANDIDATES = 6;

/** A model's place in the guide's fallback chain, if it has one. */
export type ChainPosition = (model: CatalogModel) => number | undefined;

/**
 * Best first, then the guide's chain in its order, then by score. When all of these would go to one provider, the last
 * place goes to the best model of another, so that an outage of that provider does not end the plan.
 */
export function orderFallbacks(
  ranking: readonly PlannedModel[],
  chainPosition: ChainPosition,
): readonly PlannedModel[] {
  const best = ranking.slice(0, 1);
  const inChain: { readonly planned: PlannedModel; readonly position: number }[] = [];
  const others: PlannedModel[] = [];
  for (const planned of ranking.slice(1)) {
    const position = chainPosition(planned.model);
    if (position !== undefined) inChain.push({ planned, position });
    else if (others.length < MAX_CANDIDATES) others.push(planned);
  }
  inChain.sort((one, other) => one.position - other.position);
  const ordered = [...best, ...inChain.map(({ planned }) => planned), ...others];
  return withOtherProvider(ordered.slice(0, MAX_CANDIDATES), ranking);
}

export function withOtherProvider(
  candidates: readonly PlannedModel[],
  ranking: readonly PlannedModel[],
): readonly PlannedModel[] {
  const provider = candidates[0]?.model.provider;
  const isOther = ({ model }: PlannedModel): boolean => model.provider !== provider;
  if (candidates.length < MAX_CANDIDATES || candidates.some(isOther)) return candidates;
  const other = ranking.find(isOther);
  return other ? [...candidates.slice(0, -1), other] : candidates;
}
