export * from './factor-scores';
export { RoutingWeights } from './routing-weights';
export { ScoringModule } from './scoring.module';
export { ScoringService } from './scoring.service';
