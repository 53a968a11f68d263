export { AnalysisModule } from './analysis.module';
export { AnalysisService } from './analysis.service';
export { TaskClassifier } from './classifier/task-classifier';
export { PatternSet } from './pattern-set';
export * from './task-profile';
export { textFeatures } from './classifier/text-features';
export { FEATURE_BITS } from './classifier/text-hashes';
export { readPrompt } from './text-reading';
