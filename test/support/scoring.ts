import path from 'node:path';
import {
  type Capabilities,
  CapabilityTable,
  type Performances,
  PerformanceTable,
  type Preferences,
  type RoutingPreferences,
  RoutingWeights,
  ScoringService,
  type Weights,
} from '../../src/scoring/index';

export const SHIPPED_WEIGHTS = RoutingWeights.load([path.join(__dirname, '../../config')]);

/** What a scoring goes by; tests may change it. */
export interface ScoringState {
  weights: RoutingWeights;
  capabilities: CapabilityTable;
  performance: PerformanceTable;
  /** By owner. */
  preferences: ReadonlyMap<string, RoutingPreferences>;
}

/** The real scoring: the shipped weights, nothing learned, nothing measured, nobody's preferences, unless it is said. */
export function aScoring(given: Partial<ScoringState> = {}): {
  readonly scoring: ScoringService;
  readonly state: ScoringState;
} {
  const state: ScoringState = {
    weights: SHIPPED_WEIGHTS,
    capabilities: CapabilityTable.prior,
    performance: PerformanceTable.empty,
    preferences: new Map(),
    ...given,
  };
  const scoring = new ScoringService(
    currentOf(() => state.weights) as Weights,
    currentOf(() => state.capabilities) as Capabilities,
    currentOf(() => state.performance) as Performances,
    { of: (ownerId) => state.preferences.get(ownerId) } as Partial<Preferences> as Preferences,
  );
  return { scoring, state };
}

/** Stands for whatever holds a value that may be another one later. */
function currentOf<T>(read: () => T): { readonly current: T } {
  return {
    get current() {
      return read();
    },
  };
}
