import { Injectable } from '@nestjs/common';
import { CatalogService } from '../catalog/index';
import { type PricedModel, ScoringService } from '../scoring/index';
import { CandidatePool, type Sifted } from './candidate-pool';
import { filtered } from './constraints';
import type { ExecutionPlan, FilteredModel, PlannedModel, QualityTarget } from './execution-plan';
import { type ChainPosition, MAX_CANDIDATES, orderFallbacks, withOtherProvider } from './fallback-order';
import { Guide } from './guide';
import { requireKind } from './model-kind';
import { resolveNamed } from './named-model';
import { rankByTarget } from '../scoring/index';
import { namedCannotServe, nothingToRouteTo } from './refusals';
import type { RoutingInputs } from './routing-inputs';

export type Choice = Pick<
  ExecutionPlan,
  'strategy' | 'candidates' | 'ranking' | 'filtered' | 'warnings' | 'target'
>;

interface Scored extends Sifted {
  readonly scored: readonly PlannedModel[];
}

const NO_WARNINGS: readonly string[] = Object.freeze([]);

/**
 * Chooses the models for a request: guide and hard constraints first, then scores or a quality target. Depends on its
 * inputs, the catalog, the guide and `weights.yaml` alone, so that a stored decision can be made again.
 */
@Injectable()
export class RouteChooser {
  constructor(
    private readonly catalog: CatalogService,
    private readonly pool: CandidatePool,
    private readonly guide: Guide,
    private readonly scoring: ScoringService,
  ) {}

  /** @throws as `SelectionService.plan` */
  choose(inputs: RoutingInputs): Choice {
    const { asked } = inputs;
    return 'strategy' in asked ? this.route(inputs) : this.pin(asked.name, inputs);
  }

  /** Can the model (a catalog id) serve the request, as far as the hard constraints say? */
  canServe(modelId: string, inputs: RoutingInputs): boolean {
    return this.chosen(modelId, inputs).length > 0;
  }

  private route(inputs: RoutingInputs): Choice {
    const sifted = this.pool.routed(inputs);
    const preferred = this.preferred(inputs);
    if (sifted.passed.length === 0 && preferred.length === 0) {
      const unavailable = inputs.states().filter(({ state }) => state === 'unavailable');
      throw nothingToRouteTo(sifted.filtered, unavailable, inputs.options.useDirect);
    }
    const scored = this.scoring.score(sifted.passed, inputs.profile, inputs.basis);
    if (inputs.target) return this.byTarget(inputs, inputs.target, { ...sifted, scored });
    const ranking = withFirst(preferred, scored);
    const { fallback, models = [] } = inputs.options;
    if (fallback === 'none') return choice(inputs, ranking.slice(0, 1), { ...sifted, ranking });
    if (models.length === 0) {
      return choice(inputs, orderFallbacks(ranking, this.chain(inputs)), { ...sifted, ranking });
    }
    const listed = this.listed(models, inputs);
    return choice(inputs, [...ranking.slice(0, 1), ...this.inOrder(listed.passed, inputs)], {
      ranking,
      filtered: [...sifted.filtered, ...listed.filtered],
      warnings: listed.warnings,
    });
  }

  /** A model below the target is no candidate, whoever named it. */
  private byTarget(inputs: RoutingInputs, target: QualityTarget, sifted: Scored): Choice {
    const isNovel = inputs.basis.capabilities.isNovel(inputs.profile);
    const { best, threshold, holding, below } = rankByTarget(sifted.scored, { ...target, isNovel });
    const { fallback, models = [] } = inputs.options;
    const isListed = models.length > 0 && fallback !== 'none';
    const listed = isListed ? this.listed(models, inputs) : undefined;
    const named = listed ? this.inOrder(listed.passed, inputs) : [];
    const fallbacks = listed ? named.filter(({ quality }) => quality >= threshold) : holding.slice(1);
    const candidates = [...holding.slice(0, 1), ...(fallback === 'none' ? [] : fallbacks)];
    const tooWeak = [...below, ...named.filter(({ quality }) => quality < threshold)];
    const missed = new Map(tooWeak.map((planned) => [planned.model.id, belowTarget(planned, threshold)]));
    return {
      ...choice(inputs, listed ? candidates : withinPlan(candidates), {
        ranking: [...holding, ...below],
        filtered: [...sifted.filtered, ...(listed?.filtered ?? []), ...missed.values()],
        warnings: listed?.warnings,
      }),
      target: Object.freeze({ ...target, best, threshold, ...(isNovel && { isNovel: true }) }),
    };
  }

  private pin(name: string, inputs: RoutingInputs): Choice {
    const { profile, options } = inputs;
    const { models, warnings } = resolveNamed(this.catalog, { name, kind: 'chat' }, inputs);
    const { fallback, models: alternatives = [] } = options;
    const sellers = fallback === 'none' ? models.slice(0, 1) : models;
    const own = this.pool.named(sellers, inputs);
    const skipped = models.slice(sellers.length).map((model) => filtered(model, 'not_asked_for', profile));
    const listed = this.listed(fallback === 'none' ? [] : alternatives, inputs);
    const others = fallback === 'any' ? this.pool.routed(inputs) : undefined;
    const scoredOthers = others ? this.scoring.score(others.passed, profile, inputs.basis) : [];
    const candidates = [...this.inOrder([...own.passed, ...listed.passed], inputs), ...scoredOthers];
    const [preferred] = models;
    if (candidates.length === 0 && preferred) {
      const state = inputs.states().find(({ provider }) => provider === preferred.provider);
      const asking = { profile, useDirect: options.useDirect };
      throw namedCannotServe(preferred, own.filtered, asking, state);
    }
    const notes = own.passed.length === 0 ? [`${name} cannot serve this request; an alternative does`] : [];
    return choice(inputs, candidates, {
      filtered: [...own.filtered, ...skipped, ...listed.filtered, ...(others?.filtered ?? [])],
      warnings: [...warnings, ...listed.warnings, ...notes],
    });
  }

  /** The guide's chain names good models, so it does not speak for who asked for cheap or fast ones. */
  private chain({ basis, profile }: RoutingInputs): ChainPosition {
    if (basis.strategy === 'cheap' || basis.strategy === 'fast') return () => undefined;
    const advice = this.guide.advice(profile.taskType);
    return (model) => advice.chainPosition(model);
  }

  /** The models of the request's own list, each with all who sell it. */
  private listed(names: readonly string[], inputs: RoutingInputs): Sifted & { warnings: readonly string[] } {
    const resolutions = names.map((name) => this.catalog.resolve(name));
    for (const { models } of resolutions) requireKind(models[0], 'chat', 'models');
    const sifted = this.pool.named(
      resolutions.flatMap(({ models }) => models),
      inputs,
    );
    return { ...sifted, warnings: resolutions.flatMap(({ warnings }) => warnings) };
  }

  /** What an experiment puts first. */
  private preferred(inputs: RoutingInputs): readonly PlannedModel[] {
    const { experiment } = inputs;
    return experiment?.model === undefined ? [] : this.inOrder(this.chosen(experiment.model, inputs), inputs);
  }

  private chosen(modelId: string, inputs: RoutingInputs): readonly PricedModel[] {
    const model = this.catalog.find(modelId);
    return model ? this.pool.chosen([model], inputs).passed : [];
  }

  /** Scored, in the order they came. */
  private inOrder(
    models: readonly PricedModel[],
    { profile, basis }: RoutingInputs,
  ): readonly PlannedModel[] {
    return models.flatMap((model) => this.scoring.score([model], profile, basis));
  }
}

function withFirst(first: readonly PlannedModel[], rest: readonly PlannedModel[]): readonly PlannedModel[] {
  if (first.length === 0) return rest;
  return [...first, ...rest.filter(({ model }) => first.every((other) => other.model.id !== model.id))];
}

/** As many as a plan takes; cheapest first, with a place for another provider. */
function withinPlan(holding: readonly PlannedModel[]): readonly PlannedModel[] {
  return withOtherProvider(holding.slice(0, MAX_CANDIDATES), holding);
}

function belowTarget({ model, quality }: PlannedModel, threshold: number): FilteredModel {
  const detail = `Its expected quality ${quality.toFixed(3)} is below the target of ${threshold.toFixed(3)}`;
  return { modelId: model.id, reason: 'below_target', detail };
}

/** Removes what came twice, bounds the candidates, freezes. Without a ranking, the candidates are the ranking. */
function choice(
  { asked, basis }: RoutingInputs,
  candidates: readonly PlannedModel[],
  rest: Partial<Omit<Choice, 'strategy' | 'candidates'>>,
): Choice {
  const unique = [...new Map(candidates.map((candidate) => [candidate.model.id, candidate])).values()];
  const chosen = Object.freeze(unique.slice(0, MAX_CANDIDATES).map((candidate) => Object.freeze(candidate)));
  return {
    strategy: 'strategy' in asked ? basis.strategy : 'pinned',
    candidates: chosen,
    ranking: Object.freeze(rest.ranking ?? unique),
    filtered: Object.freeze(rest.filtered ?? []),
    warnings: rest.warnings && rest.warnings.length > 0 ? Object.freeze(rest.warnings) : NO_WARNINGS,
  };
}
