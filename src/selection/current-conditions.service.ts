import { Injectable } from '@nestjs/common';
import type { TaskProfile } from '../analysis/index';
import { CatalogService, PriceBook } from '../catalog/index';
import type { LatticeOptions, Principal } from '../common/index';
import {
  type FactorWeights,
  Preferences,
  type ScoringBasis,
  ScoringService,
  type Strategy,
} from '../scoring/index';
import { type AskedModel, askedModel } from './asked-model';
import type { DecisionVersions, QualityTarget } from './execution-plan';
import { Guide } from './guide';
import { ModelAvailability } from './model-availability';
import type { RoutingInputs } from './routing-inputs';

/** Whose request it is. */
export type Asker = Pick<Principal, 'userId' | 'allowedModels'>;

type TargetOptions = Pick<LatticeOptions, 'quality' | 'answerWorthUsd'>;

/** What a request says to routing beside its prompt. */
export interface RoutedRequest {
  readonly model: string;
  readonly options: RoutingInputs['options'] & TargetOptions;
}

/** What holds now, as the inputs of a choice. */
@Injectable()
export class CurrentConditions {
  constructor(
    private readonly catalog: CatalogService,
    private readonly prices: PriceBook,
    private readonly guide: Guide,
    private readonly availability: ModelAvailability,
    private readonly scoring: ScoringService,
    private readonly preferences: Preferences,
  ) {}

  /** For a request as it stands, before an experiment changes anything. */
  inputs(asker: Asker, { model, options }: RoutedRequest, profile: TaskProfile): RoutingInputs {
    const asked = askedModel(model);
    const { userId, allowedModels } = asker;
    return {
      asked,
      profile,
      options,
      allowedModels,
      providers: this.availability.chatProviders(userId, options.useDirect),
      prices: this.prices,
      basis: this.basis(userId, 'strategy' in asked ? asked.strategy : 'auto'),
      target: this.target(userId, asked, options),
      states: () => this.availability.states(userId),
    };
  }

  basis(ownerId: string, strategy: Strategy): ScoringBasis {
    return this.scoring.basis(ownerId, strategy);
  }

  /** The owner's own weights (UUID of the user), where they take the place of the installation's. */
  ownWeights(ownerId: string, strategy: Strategy): FactorWeights | undefined {
    return this.preferences.of(ownerId)?.strategies[strategy];
  }

  /**
   * Who asks for cheap, good or fast ones by name has said what they want: the owner's target holds for plain `auto`
   * only, and where the request says neither a quality nor a worth. A named model has none.
   */
  target(
    ownerId: string,
    asked: AskedModel,
    { quality, answerWorthUsd }: TargetOptions,
  ): QualityTarget | undefined {
    if (!('strategy' in asked)) return undefined;
    if (answerWorthUsd !== undefined) return { quality: quality ?? 0, answerWorthUsd, source: 'request' };
    if (quality !== undefined) return { quality, source: 'request' };
    return asked.strategy === 'auto' ? this.ownTarget(ownerId) : undefined;
  }

  private ownTarget(ownerId: string): QualityTarget | undefined {
    const { quality, answerWorthUsd } = this.preferences.of(ownerId) ?? {};
    if (answerWorthUsd !== undefined) return { quality: quality ?? 0, answerWorthUsd, source: 'owner' };
    return quality === undefined ? undefined : { quality, source: 'owner' };
  }

  /** Of what decides about this request. */
  versions({ basis, profile }: Pick<RoutingInputs, 'basis' | 'profile'>): DecisionVersions {
    return Object.freeze({
      catalog: this.catalog.version,
      prices: this.prices.version,
      weights: this.scoring.version,
      guide: this.guide.version,
      patterns: profile.patternsVersion,
      classifier: profile.classifierVersion,
      capabilities: basis.capabilities.version,
      performance: basis.performance.version,
    });
  }
}
