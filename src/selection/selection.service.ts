import { Injectable } from '@nestjs/common';
import { AnalysisService, ROUTER_AGENT, type TaskProfile } from '../analysis/index';
import { type ChatRequest, type LatticeOptions, newId, type RequestContext } from '../common/index';
import { CurrentConditions } from './current-conditions.service';
import type { RouteExplanationDto } from './dto/route-explanation.response.dto';
import type { ExecutionPlan } from './execution-plan';
import { Experiments } from './experiments/experiments.service';
import { explanation } from './explanation';
import { ModelAvailability } from './model-availability';
import { RouteChooser } from './route-chooser';
import type { RoutingInputs } from './routing-inputs';

/**
 * Decides which model answers and which ones follow when it fails. Every candidate of a plan, fallbacks included, can do
 * all that the request needs. The same request, catalog, prices, availability and files give the same plan.
 */
@Injectable()
export class SelectionService {
  constructor(
    private readonly conditions: CurrentConditions,
    private readonly chooser: RouteChooser,
    private readonly experiments: Experiments,
    private readonly availability: ModelAvailability,
    private readonly analysis: AnalysisService,
  ) {}

  /**
   * @throws ModelNotFoundError (404) for an unknown name; ModelNotAllowedError (403); NoSuitableModelError (422), PriceUnknownError (422),
   * ContextLengthExceededError and CapabilityMissingError (400), ProviderUnavailableError (503) and
   * RequiresImplementationError (501) when nothing is left.
   */
  plan(ctx: RequestContext, request: ChatRequest, profile: TaskProfile): ExecutionPlan {
    const { userId, allowedModels } = ctx.principal;
    const asked = { model: request.body.model, options: request.options };
    const inputs = this.arranged(ctx, request, this.conditions.inputs(ctx.principal, asked, profile));
    const choice = this.chooser.choose(inputs);
    const unheard = targetWarning(request);
    return Object.freeze({
      decisionId: newId(),
      ...choice,
      warnings: unheard === undefined ? choice.warnings : Object.freeze([...choice.warnings, unheard]),
      profile,
      allowedModels,
      providers: inputs.providers,
      scripted: this.availability.scripted(choice.candidates, userId, request.options.useDirect),
      experiment: inputs.experiment,
      ownWeights: this.conditions.ownWeights(userId, inputs.basis.strategy),
      versions: this.conditions.versions(inputs),
    });
  }

  /** The whole decision without carrying it out. Fails exactly as `plan` does. */
  explain(ctx: RequestContext, request: ChatRequest): RouteExplanationDto {
    return explanation(this.plan(ctx, request, this.analysis.profile(request)), request);
  }

  /** The semantic router's own questions are no traffic of the owner's: neither experiments nor the owner's target hold. */
  private arranged(ctx: RequestContext, request: ChatRequest, inputs: RoutingInputs): RoutingInputs {
    if (ctx.work?.agent === ROUTER_AGENT) return { ...inputs, target: undefined };
    return this.inExperiment(ctx, request, inputs);
  }

  /** The arm decides in place of what routing would do by itself; a request with a quality target of its own takes no part. */
  private inExperiment(ctx: RequestContext, request: ChatRequest, inputs: RoutingInputs): RoutingInputs {
    const { asked, profile } = inputs;
    if (!('strategy' in asked) || hasTarget(request.options)) return inputs;
    const assigned = this.experiments.assign(ctx, { ...asked, taskType: profile.taskType });
    if (!assigned?.models.every((model) => this.chooser.canServe(model, inputs))) return inputs;
    const { experimentId: id, arm, strategy = asked.strategy, model, quality } = assigned;
    const basis = this.conditions.basis(ctx.principal.userId, strategy);
    const target =
      quality === undefined || model !== undefined ? undefined : { quality, source: 'experiment' as const };
    return { ...inputs, basis, target, experiment: Object.freeze({ id, arm, model }) };
  }
}

function hasTarget({ quality, answerWorthUsd }: LatticeOptions): boolean {
  return quality !== undefined || answerWorthUsd !== undefined;
}

/** What the request's own target cannot do, or does in place of what it asks for besides. */
function targetWarning({ body, options }: ChatRequest): string | undefined {
  if (!hasTarget(options)) return undefined;
  const model = body.model.trim().toLowerCase();
  if (model === 'auto') return undefined;
  if (model.startsWith('auto:')) return `The quality target decides in place of ${model}`;
  return 'The quality target has no effect: the request names its model';
}
