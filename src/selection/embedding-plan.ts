import type { CatalogModel } from '../catalog/index';
import type { EmbeddingRequest, JsonObject, ProviderId } from '../common/index';
import type { AttemptPlan, PlannedModel } from './execution-plan';

export type EmbeddingFilterReason =
  | 'not_allowed'
  | 'unavailable'
  | 'dimensions'
  | 'token_input'
  | 'price_unknown'
  | 'retired'
  | 'not_asked_for';

export interface LeftOutModel {
  readonly model: CatalogModel;
  readonly reason: EmbeddingFilterReason;
}

/** Who makes the vectors: one model only, by one or several of its sellers. Frozen. */
export interface EmbeddingPlan extends AttemptPlan {
  /** All that could have been chosen, best first. */
  readonly ranking: readonly PlannedModel[];
  readonly filtered: readonly LeftOutModel[];
  readonly allowedModels?: readonly string[];
  readonly providers: readonly ProviderId[];
  readonly catalogVersion: string;
}

const MAX_CANDIDATES = 5;
const MAX_NAME_CHARS = 100;

/** What is stored of an embedding decision: inputs, versions, the best candidates and why; no word of the texts. */
export function embeddingDecision(plan: EmbeddingPlan, request: EmbeddingRequest): JsonObject {
  return {
    asked: {
      model: request.model.slice(0, MAX_NAME_CHARS),
      dimensions: request.dimensions,
      inputType: request.inputType,
      fallback: request.fallback,
      useDirect: request.useDirect === false ? false : undefined,
    },
    allowed: plan.allowedModels,
    strategy: plan.strategy,
    task: { type: 'EMBEDDING' },
    features: { inputs: request.inputs.length, tokenInput: request.inputs.some(isTokens) || undefined },
    reason: reasonOf(plan),
    candidates: plan.candidates.slice(0, MAX_CANDIDATES).map(candidate),
    ranking: plan.strategy === 'pinned' ? undefined : plan.ranking.slice(0, MAX_CANDIDATES).map(candidate),
    filtered: countsOf(plan.filtered),
    providers: plan.providers,
    scripted: plan.scripted,
    versions: { catalog: plan.catalogVersion },
  };
}

/** How many models each reason removed. */
export function countsOf(filtered: readonly LeftOutModel[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { reason } of filtered) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

export function isTokens(input: EmbeddingRequest['inputs'][number]): boolean {
  return typeof input !== 'string';
}

function reasonOf({ strategy, candidates }: EmbeddingPlan): string {
  if (strategy === 'pinned') return 'the request names the model; only its other sellers may take over';
  const [first] = candidates;
  return `${first?.model.baseModel ?? ''} has the highest score of the models that are available; only its other sellers may take over`;
}

function candidate({ model, price, score, factors }: PlannedModel): JsonObject {
  return {
    model: model.id,
    price: price?.version ?? null,
    score: round(score),
    quality: factors.capability,
    speed: factors.speed,
    cost: round(factors.cost),
  };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
