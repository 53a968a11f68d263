import { Injectable } from '@nestjs/common';
import { type CatalogModel, CatalogService, PriceBook } from '../catalog/index';
import { type EmbeddingRequest, newId, type Principal, type RequestContext } from '../common/index';
import { mayUse } from './allowed-models';
import { askedModel } from './asked-model';
import {
  type EmbeddingFilterReason,
  type EmbeddingPlan,
  isTokens,
  type LeftOutModel,
} from './embedding-plan';
import { type PricedEmbeddingModel, rankEmbeddings, scoreEmbedding } from './embedding-ranking';
import { namedCannotEmbed, nothingEmbeds } from './embedding-refusals';
import type { PlannedModel, Strategy } from './execution-plan';
import { ModelAvailability } from './model-availability';
import { resolveNamed } from './named-model';

type Choice = Pick<EmbeddingPlan, 'strategy' | 'candidates' | 'ranking' | 'filtered' | 'warnings'>;

interface Sifted {
  readonly passed: readonly PricedEmbeddingModel[];
  readonly filtered: readonly LeftOutModel[];
}

/**
 * Decides which model makes the vectors. Vectors of different models cannot be compared, so the candidates of a plan
 * are sellers of one model, and never another model.
 */
@Injectable()
export class EmbeddingSelection {
  constructor(
    private readonly catalog: CatalogService,
    private readonly prices: PriceBook,
    private readonly availability: ModelAvailability,
  ) {}

  /**
   * @throws ModelNotFoundError (404); ValidationError (400) for a chat model, or for dimensions or token ids that the model does
   * not take; ModelNotAllowedError (403); NoSuitableModelError and PriceUnknownError (422); ProviderUnavailableError (503).
   */
  plan({ principal }: RequestContext, request: EmbeddingRequest): EmbeddingPlan {
    const asked = askedModel(request.model);
    const choice =
      'strategy' in asked
        ? this.route(asked.strategy, request, principal)
        : this.pin(asked.name, request, principal);
    return Object.freeze({
      decisionId: newId(),
      ...choice,
      allowedModels: principal.allowedModels,
      providers: this.availability.providers(principal.userId),
      scripted: this.availability.scripted(choice.candidates, principal.userId, request.useDirect),
      catalogVersion: this.catalog.version,
    });
  }

  private route(strategy: Strategy, request: EmbeddingRequest, principal: Principal): Choice {
    const sifted = this.sift(this.catalog.ofKind('embedding'), request, (model) =>
      model.status === 'retired' ? 'retired' : this.whyNot(model, request, principal),
    );
    const ranking = rankEmbeddings(sifted.passed, strategy);
    const [best] = ranking;
    if (!best) {
      throw nothingEmbeds(sifted.filtered, request, this.availability.unavailable(principal.userId));
    }
    return {
      strategy,
      ranking,
      candidates: sellersOf(best, ranking, request),
      filtered: sifted.filtered,
      warnings: [
        `${request.model} chose ${best.model.id}: vectors of different models cannot be compared, so name the model for the next ones`,
      ],
    };
  }

  private pin(name: string, request: EmbeddingRequest, principal: Principal): Choice {
    const { models, warnings } = resolveNamed(this.catalog, { name, kind: 'embedding' }, principal);
    const count = request.fallback === 'none' ? 1 : models.length;
    const { passed, filtered } = this.sift(models, request, (model, index) =>
      index < count ? this.whyNot(model, request, principal) : 'not_asked_for',
    );
    const ranking = passed.map((model) => scoreEmbedding(model, 'auto'));
    const [first] = ranking;
    const [preferred] = models;
    if (!first) {
      if (!preferred) throw new Error('A name without models');
      const state = this.availability.stateOf(preferred.provider, principal.userId);
      throw namedCannotEmbed(preferred, filtered, request, state);
    }
    return {
      strategy: 'pinned',
      ranking,
      candidates: sellersOf(first, ranking, request),
      filtered,
      warnings,
    };
  }

  private sift(
    models: readonly CatalogModel[],
    request: EmbeddingRequest,
    whyNot: (model: CatalogModel, index: number) => EmbeddingFilterReason | undefined,
  ): Sifted {
    const passed: PricedEmbeddingModel[] = [];
    const filtered: LeftOutModel[] = [];
    for (const [index, model] of models.entries()) {
      const reason = whyNot(model, index);
      if (reason) filtered.push({ model, reason });
      else passed.push({ model, price: this.prices.current(model.id) });
    }
    return { passed, filtered };
  }

  private whyNot(
    model: CatalogModel,
    request: EmbeddingRequest,
    principal: Principal,
  ): EmbeddingFilterReason | undefined {
    if (!mayUse(principal, model)) return 'not_allowed';
    if (!this.availability.isProviderAvailable(model, principal.userId, request.useDirect))
      return 'unavailable';
    if (request.dimensions !== undefined && !canMake(model, request.dimensions)) return 'dimensions';
    if (!model.embedding?.takesTokens && request.inputs.some(isTokens)) return 'token_input';
    return this.availability.isBillable(model) ? undefined : 'price_unknown';
  }
}

/** Can the model make vectors of this length? */
export function canMake({ embedding }: CatalogModel, asked: number): boolean {
  if (!embedding) return false;
  const { dimensions, allowedDimensions, minDimensions } = embedding;
  if (asked === dimensions || allowedDimensions?.includes(asked)) return true;
  return minDimensions !== undefined && asked >= minDimensions && asked <= (dimensions ?? Infinity);
}

/** The chosen one, then who else sells it and makes vectors of the same length. */
function sellersOf(
  chosen: PlannedModel,
  ranking: readonly PlannedModel[],
  request: EmbeddingRequest,
): readonly PlannedModel[] {
  if (request.fallback === 'none') return Object.freeze([chosen]);
  const lengthOf = ({ model }: PlannedModel): number | undefined =>
    request.dimensions ?? model.embedding?.dimensions;
  const others = ranking.filter(
    (other) =>
      other !== chosen &&
      other.model.baseModel === chosen.model.baseModel &&
      lengthOf(other) === lengthOf(chosen),
  );
  return Object.freeze([chosen, ...others]);
}
