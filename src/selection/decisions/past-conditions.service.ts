import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { PriceBook } from '../../catalog/index';
import type { ProviderId } from '../../common/index';
import {
  Capabilities,
  Performances,
  type ScoringBasis,
  ScoringService,
  type Strategy,
} from '../../scoring/index';
import { askedModel } from '../asked-model';
import { allowedRecord, type DecisionRecord } from './decision-record';
import type { StoredDecision } from './decisions.repository';
import { ModelAvailability } from '../model-availability';
import type { RoutingInputs } from '../routing-inputs';
import {
  storedExperiment,
  storedProfile,
  storedRequest,
  storedTarget,
  storedWeights,
} from './stored-decision';

/** What a choice then depended on and is no longer known; what holds now stands in its place. */
export type LostInput = 'capabilities' | 'performance' | 'allowedModels';

export interface PastInputs {
  readonly inputs: RoutingInputs;
  readonly lost: readonly LostInput[];
}

/** Nobody has preferences under this id: what the installation says. */
const NOBODY = '';

/** What held when a decision was made, out of its record and the tables that keep old versions. */
@Injectable()
export class PastConditions {
  constructor(
    private readonly prices: PriceBook,
    private readonly scoring: ScoringService,
    private readonly capabilities: Capabilities,
    private readonly performances: Performances,
    private readonly availability: ModelAvailability,
  ) {}

  async inputs(decision: StoredDecision, record: DecisionRecord): Promise<PastInputs> {
    const [capabilities, performance, prices] = await Promise.all([
      this.capabilities.find(record.versions.capabilities),
      this.performances.find(record.versions.performance),
      this.prices.asOf(record.versions.prices, decision.createdAt),
    ]);
    const allowed = allowedModels(decision, record);
    const lost: readonly (LostInput | undefined)[] = [
      capabilities ? undefined : 'capabilities',
      performance ? undefined : 'performance',
      allowed.isLost ? 'allowedModels' : undefined,
    ];
    const { model, options } = storedRequest(record);
    const inputs: RoutingInputs = {
      asked: askedModel(model),
      profile: storedProfile(record),
      options,
      allowedModels: allowed.models,
      providers: (record.providers ?? []) as readonly ProviderId[],
      prices,
      basis: this.basis(record, { capabilities, performance }),
      target: storedTarget(record),
      experiment: storedExperiment(record),
      states: () => this.availability.states(decision.userId),
    };
    return { inputs, lost: lost.filter((name) => name !== undefined) };
  }

  private basis(
    record: DecisionRecord,
    { capabilities, performance }: Partial<Pick<ScoringBasis, 'capabilities' | 'performance'>>,
  ): ScoringBasis {
    const now = this.scoring.basis(NOBODY, strategyOf(record));
    return {
      ...now,
      weights: storedWeights(record) ?? now.weights,
      capabilities: capabilities ?? now.capabilities,
      performance: performance ?? now.performance,
    };
  }
}

/** The strategy whose weights decided. */
export function strategyOf({ strategy }: DecisionRecord): Strategy {
  return strategy === 'pinned' ? 'auto' : (strategy as Strategy);
}

/** A long list stands with the key only; its digest tells whether it is still the same. */
function allowedModels(
  { keyAllows }: StoredDecision,
  { allowed }: DecisionRecord,
): { readonly models?: readonly string[]; readonly isLost: boolean } {
  if (allowed === undefined) return { isLost: false };
  if (Array.isArray(allowed)) return { models: allowed as readonly string[], isLost: false };
  const isSame = keyAllows !== undefined && isDeepStrictEqual(allowedRecord(keyAllows), allowed);
  return { models: keyAllows, isLost: !isSame };
}
