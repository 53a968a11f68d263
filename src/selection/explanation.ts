import { type ChatRequest, formatUsd, toApiId } from '../common/index';
import type {
  RankedModelDto,
  RouteExplanationDto,
  TaskProfileDto,
} from './dto/route-explanation.response.dto';
import type { ExecutionPlan, PlannedModel } from './execution-plan';

const PICO_PER_USD = 1e12;

/** A plan in the form callers see. */
export function explanation(plan: ExecutionPlan, request: ChatRequest): RouteExplanationDto {
  const [model = '', ...fallbacks] = plan.candidates.map((candidate) => candidate.model.id);
  return {
    model,
    fallbacks,
    asked: request.body.model,
    strategy: plan.strategy,
    target: plan.target ?? null,
    experiment: plan.experiment ? { ...plan.experiment, id: toApiId('exp', plan.experiment.id) } : null,
    profile: profileOf(plan),
    ranking: plan.ranking.map(ranked),
    filtered: plan.filtered.map(({ modelId, reason, detail }) => ({ model: modelId, reason, detail })),
    warnings: plan.warnings,
    versions: plan.versions,
  };
}

function profileOf({ profile }: ExecutionPlan): TaskProfileDto {
  const { taskType, confidence, source, secondary, probabilities, patterns, needs, features } = profile;
  return { taskType, confidence, source, secondary, probabilities, patterns, needs, features };
}

function ranked({ price, expectedCostUsd, ...planned }: PlannedModel): RankedModelDto {
  const { model, score, factors, prior, quality } = planned;
  return {
    model: model.id,
    provider: model.provider,
    score,
    factors,
    prior,
    quality,
    expectedCostUsd:
      expectedCostUsd === undefined ? null : formatUsd(BigInt(Math.round(expectedCostUsd * PICO_PER_USD))),
    priceVersion: price?.version ?? null,
  };
}
