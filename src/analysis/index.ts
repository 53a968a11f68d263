export { AnalysisModule } from './analysis.module';
export { AnalysisService } from './analysis.service';
export { PatternSet } from './pattern-set';
export * from './task-profile';
