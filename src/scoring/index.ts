export { type CapabilityEstimate, CapabilityTable } from './capabilities/capability-table';
export * from './factor-scores';
export { Capabilities } from './outcomes/capabilities.service';
export { type ModelPerformance, PerformanceTable } from './performance/performance-table';
export { Performances } from './performance/performances.service';
export { Preferences, type RoutingPreferences } from './preferences/preferences.service';
export { RoutingWeights } from './routing-weights';
export { ScoringModule } from './scoring.module';
export { ScoringService } from './scoring.service';
