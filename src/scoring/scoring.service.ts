import { Injectable } from '@nestjs/common';
import type { TaskProfile } from '../analysis/index';
import type { CatalogModel } from '../catalog/index';
import type {
  FactorScores,
  FactorWeights,
  PricedModel,
  ScoredModel,
  ScoringBasis,
  Strategy,
} from './factor-scores';
import { Capabilities } from './outcomes/capabilities.service';
import { Performances } from './performance/performances.service';
import { Preferences } from './preferences/preferences.service';
import { capabilityScore } from './scorers/capability.scorer';
import { contextScore } from './scorers/context.scorer';
import { costScore, expectedCostUsd } from './scorers/cost.scorer';
import { speedScore } from './scorers/speed.scorer';
import { Weights } from './weights';
import type { WeightsContent } from './weights-file';

/**
 * Compares models for one request by capability, context fit, speed, health and this request's expected cost. Depends on
 * nothing but its arguments and `weights.yaml`: no clock, no chance, and no model's score depends on which others are
 * compared.
 */
@Injectable()
export class ScoringService {
  constructor(
    private readonly weights: Weights,
    private readonly capabilities: Capabilities,
    private readonly performances: Performances,
    private readonly preferences: Preferences,
  ) {}

  /** Version of what decided. */
  get version(): string {
    return this.weights.current.version;
  }

  /** What decides now for an owner (UUID). */
  basis(ownerId: string, strategy: Strategy): ScoringBasis {
    return {
      strategy,
      weights: this.preferences.of(ownerId)?.strategies[strategy] ?? this.content.strategies[strategy],
      capabilities: this.capabilities.current,
      performance: this.performances.current,
    };
  }

  /** Best first; equal scores are ordered by expected cost, then the vendor's own before deployments, then by id. */
  score(
    candidates: readonly PricedModel[],
    profile: TaskProfile,
    basis: ScoringBasis,
  ): readonly ScoredModel[] {
    return candidates.map((candidate) => this.scoreOne(candidate, profile, basis)).sort(compareScored);
  }

  /** How long this model's answer will be, in tokens, hidden reasoning included; at most what was asked for. */
  expectedCompletionTokens(model: CatalogModel, profile: TaskProfile): number {
    const factor = model.supports.reasoning ? this.content.output.reasoningFactor : 1;
    return Math.min(this.usualTokens(profile, factor), model.maxOutputTokens);
  }

  private get content(): WeightsContent {
    return this.weights.current.content;
  }

  private usualTokens({ taskType, features }: TaskProfile, factor = 1): number {
    const usual = Math.ceil(this.content.output.expectedTokens[taskType] * factor);
    return Math.min(usual, features.requestedMaxTokens ?? usual);
  }

  private scoreOne(
    { model, price, prior }: PricedModel,
    profile: TaskProfile,
    basis: ScoringBasis,
  ): ScoredModel {
    const { content } = this;
    const promptTokens = profile.features.estimatedPromptTokens;
    const request = { promptTokens, completionTokens: this.expectedCompletionTokens(model, profile) };
    const usual = { promptTokens, completionTokens: this.usualTokens(profile) };
    const costUsd = price && expectedCostUsd(price, request);
    const { quality } = basis.capabilities.estimate(model, profile);
    const measured = basis.performance.of(model.id);
    const factors: FactorScores = {
      capability: capabilityScore(quality, profile.features.complexity, content.capability),
      context: contextScore(
        model.contextWindowTokens,
        promptTokens + request.completionTokens,
        content.context.comfortableRatio,
      ),
      // As the catalog's class where too little was measured.
      speed: (measured && speedScore(measured, request, usual, content.pace)) ?? content.speed[model.speed],
      // An unknown price counts as the dearest.
      cost: costUsd === undefined ? 0 : costScore(costUsd, usual, content.cost),
      health: 1 - (measured?.failureShare ?? 0),
    };
    const lost = content.health.penalty * (1 - factors.health);
    const score = weightedSum(factors, basis.weights) + prior - lost;
    return { model, price, prior, score, factors, quality, expectedCostUsd: costUsd };
  }
}

function weightedSum(factors: FactorScores, weights: FactorWeights): number {
  return (
    factors.capability * weights.capability +
    factors.context * weights.context +
    factors.speed * weights.speed +
    factors.cost * weights.cost
  );
}

function compareScored(one: ScoredModel, other: ScoredModel): number {
  if (one.score !== other.score) return other.score - one.score;
  const cost = (one.expectedCostUsd ?? Infinity) - (other.expectedCostUsd ?? Infinity);
  if (cost !== 0 && !Number.isNaN(cost)) return cost;
  const deployed = Number(one.model.isDeployment ?? false) - Number(other.model.isDeployment ?? false);
  if (deployed !== 0) return deployed;
  return one.model.id < other.model.id ? -1 : 1;
}
