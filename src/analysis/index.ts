export { AnalysisModule } from './analysis.module';
export { AnalysisService } from './analysis.service';
export { TaskClassifier } from './classifier/task-classifier';
export { PatternSet } from './pattern-set';
export { Patterns } from './patterns';
export {
  type ClassifierAnswer,
  type ClassifierModel,
  type ClassifierQuestion,
  ROUTER_AGENT,
} from './semantic/classifier-model';
export { SemanticRouter } from './semantic/semantic-router';
export * from './task-profile';
export { textFeatures } from './classifier/text-features';
export { FEATURE_BITS } from './classifier/text-hashes';
export { promptSketch, SKETCH_BUCKETS } from './prompt-sketch';
export { readPrompt } from './text-reading';
