import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { AnalysisService, type TaskProfile } from '../analysis/index';
import { CatalogService } from '../catalog/index';
import { type ChatRequest, newId, type RequestContext } from '../common/index';
import { type PricedModel, type ScoringBasis, ScoringService } from '../scoring/index';
import { askedModel } from './asked-model';
import { type Asking, CandidatePool, type Sifted } from './candidate-pool';
import { filtered } from './constraints';
import type { RouteExplanationDto } from './dto/route-explanation.response.dto';
import type { ExecutionPlan, PlannedModel, Strategy } from './execution-plan';
import { explanation } from './explanation';
import { type ChainPosition, MAX_CANDIDATES, orderFallbacks } from './fallback-order';
import { Guide } from './guide';
import { ModelAvailability } from './model-availability';
import { requireKind } from './model-kind';
import { resolveNamed } from './named-model';
import { namedCannotServe, nothingToRouteTo } from './refusals';

type Choice = Pick<ExecutionPlan, 'strategy' | 'candidates' | 'ranking' | 'filtered' | 'warnings'>;

const NO_WARNINGS: readonly string[] = Object.freeze([]);

/**
 * Decides which model answers and which ones follow when it fails. Every candidate of a plan, fallbacks included, can do
 * all that the request needs. The same request, catalog, prices, availability and files give the same plan.
 */
@Injectable()
export class SelectionService implements OnModuleInit {
  private readonly logger = new Logger(SelectionService.name);

  constructor(
    private readonly catalog: CatalogService,
    private readonly pool: CandidatePool,
    private readonly availability: ModelAvailability,
    private readonly guide: Guide,
    private readonly scoring: ScoringService,
    private readonly analysis: AnalysisService,
  ) {}

  onModuleInit(): void {
    const unknown = this.guide.unknownNames(this.catalog.list());
    if (unknown.length > 0) {
      this.logger.warn(`routing/guide.yaml names models that are not in the catalog: ${unknown.join(', ')}`);
    }
  }

  /**
   * @throws ModelNotFoundError (404) for an unknown name; ModelNotAllowedError (403); NoSuitableModelError (422), PriceUnknownError (422),
   * ContextLengthExceededError and CapabilityMissingError (400), ProviderUnavailableError (503) and
   * RequiresImplementationError (501) when nothing is left.
   */
  plan({ principal }: RequestContext, request: ChatRequest, profile: TaskProfile): ExecutionPlan {
    const asked = askedModel(request.body.model);
    const { useDirect } = request.options;
    const asking = { principal, profile, useDirect };
    const choice =
      'strategy' in asked
        ? this.route(asked.strategy, request, asking)
        : this.pin(asked.name, request, asking);
    return Object.freeze({
      decisionId: newId(),
      ...choice,
      profile,
      allowedModels: principal.allowedModels,
      providers: this.availability.providers(principal.userId),
      scripted: this.availability.scripted(choice.candidates, principal.userId, useDirect),
      versions: Object.freeze({
        catalog: this.catalog.version,
        weights: this.scoring.version,
        guide: this.guide.version,
        patterns: profile.patternsVersion,
        classifier: profile.classifierVersion,
      }),
    });
  }

  /** The whole decision without carrying it out. Fails exactly as `plan` does. */
  explain(ctx: RequestContext, request: ChatRequest): RouteExplanationDto {
    return explanation(this.plan(ctx, request, this.analysis.profile(request)), request);
  }

  private route(strategy: Strategy, request: ChatRequest, asking: Asking): Choice {
    const { profile } = asking;
    const sifted = this.pool.routed(asking);
    if (sifted.passed.length === 0) {
      throw nothingToRouteTo(
        sifted.filtered,
        this.availability.unavailable(asking.principal.userId),
        asking.useDirect,
      );
    }
    const ranking = this.scoring.score(sifted.passed, profile, this.basis(asking, strategy));
    const { fallback, models = [] } = request.options;
    if (fallback === 'none') return choice(strategy, ranking.slice(0, 1), { ...sifted, ranking });
    if (models.length === 0) {
      const ordered = orderFallbacks(ranking, this.chain(strategy, profile));
      return choice(strategy, ordered, { ...sifted, ranking });
    }
    const listed = this.listed(models, asking);
    const candidates = [...ranking.slice(0, 1), ...this.inOrder(listed.passed, asking)];
    return choice(strategy, candidates, {
      ranking,
      filtered: [...sifted.filtered, ...listed.filtered],
      warnings: listed.warnings,
    });
  }

  private pin(name: string, request: ChatRequest, asking: Asking): Choice {
    const { profile } = asking;
    const { models, warnings } = resolveNamed(this.catalog, { name, kind: 'chat' }, asking.principal);
    const { fallback, models: alternatives = [] } = request.options;
    const sellers = fallback === 'none' ? models.slice(0, 1) : models;
    const own = this.pool.named(sellers, asking);
    const skipped = models.slice(sellers.length).map((model) => filtered(model, 'not_asked_for', profile));
    const listed = this.listed(fallback === 'none' ? [] : alternatives, asking);
    const others = fallback === 'any' ? this.pool.routed(asking) : undefined;
    const scoredOthers = others ? this.scoring.score(others.passed, profile, this.basis(asking)) : [];
    const candidates = [...this.inOrder([...own.passed, ...listed.passed], asking), ...scoredOthers];
    const [preferred] = models;
    if (candidates.length === 0 && preferred) {
      const state = this.availability.stateOf(preferred.provider, asking.principal.userId);
      throw namedCannotServe(preferred, own.filtered, asking, state);
    }
    const notes = own.passed.length === 0 ? [`${name} cannot serve this request; an alternative does`] : [];
    return choice('pinned', candidates, {
      filtered: [...own.filtered, ...skipped, ...listed.filtered, ...(others?.filtered ?? [])],
      warnings: [...warnings, ...listed.warnings, ...notes],
    });
  }

  /** The guide's chain names good models, so it does not speak for who asked for cheap or fast ones. */
  private chain(strategy: Strategy, profile: TaskProfile): ChainPosition {
    if (strategy === 'cheap' || strategy === 'fast') return () => undefined;
    const advice = this.guide.advice(profile.taskType);
    return (model) => advice.chainPosition(model);
  }

  /** The models of the request's own list, each with all who sell it. */
  private listed(names: readonly string[], asking: Asking): Sifted & { warnings: readonly string[] } {
    const resolutions = names.map((name) => this.catalog.resolve(name));
    for (const { models } of resolutions) requireKind(models[0], 'chat', 'models');
    const sifted = this.pool.named(
      resolutions.flatMap(({ models }) => models),
      asking,
    );
    return { ...sifted, warnings: resolutions.flatMap(({ warnings }) => warnings) };
  }

  /** Scored, in the order they came. */
  private inOrder(models: readonly PricedModel[], asking: Asking): readonly PlannedModel[] {
    const basis = this.basis(asking);
    return models.flatMap((model) => this.scoring.score([model], asking.profile, basis));
  }

  private basis({ principal }: Asking, strategy: Strategy = 'auto'): ScoringBasis {
    return this.scoring.basis(principal.userId, strategy);
  }
}

/** Removes what came twice, bounds the candidates, freezes. Without a ranking, the candidates are the ranking. */
function choice(
  strategy: Choice['strategy'],
  candidates: readonly PlannedModel[],
  rest: Partial<Omit<Choice, 'strategy' | 'candidates'>>,
): Choice {
  const unique = [...new Map(candidates.map((candidate) => [candidate.model.id, candidate])).values()];
  const chosen = Object.freeze(unique.slice(0, MAX_CANDIDATES).map((candidate) => Object.freeze(candidate)));
  return {
    strategy,
    candidates: chosen,
    ranking: Object.freeze(rest.ranking ?? unique),
    filtered: Object.freeze(rest.filtered ?? []),
    warnings: rest.warnings && rest.warnings.length > 0 ? Object.freeze(rest.warnings) : NO_WARNINGS,
  };
}
