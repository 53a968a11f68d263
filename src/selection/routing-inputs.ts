import type { TaskProfile } from '../analysis/index';
import type { PriceVersion } from '../catalog/index';
import type { LatticeOptions, ProviderId } from '../common/index';
import type { ProviderAvailability } from '../providers/index';
import type { ScoringBasis } from '../scoring/index';
import type { AskedModel } from './asked-model';
import type { ExperimentArm, QualityTarget } from './execution-plan';

/** What models cost, at one moment. */
export interface Prices {
  current(modelId: string): PriceVersion | undefined;
}

/**
 * Everything that a choice depends on beside the catalog, the guide and `weights.yaml`. Gathered from what holds now for a
 * request, from a stored decision for its replay.
 */
export interface RoutingInputs {
  readonly asked: AskedModel;
  readonly profile: TaskProfile;
  readonly options: Pick<LatticeOptions, 'fallback' | 'models' | 'useDirect'>;
  /** What the caller's key may use; undefined: every model. */
  readonly allowedModels?: readonly string[];
  /** The providers that can be called for this request. */
  readonly providers: readonly ProviderId[];
  readonly prices: Prices;
  /** Its strategy decides; for a named model it is `auto`. */
  readonly basis: ScoringBasis;
  /** Takes the strategy's place. */
  readonly target?: QualityTarget;
  readonly experiment?: ExperimentArm;
  /** What is known of every provider; for messages only. */
  states(): readonly ProviderAvailability[];
}
