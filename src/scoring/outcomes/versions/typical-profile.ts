import type { RequestNeeds, TaskFeatures, TaskProfile } from '../../../analysis/index';
import type { TaskType } from '../../../common/index';

const NEEDS: RequestNeeds = {
  vision: false,
  document: false,
  audio: false,
  video: false,
  tools: false,
  jsonSchema: false,
  jsonObject: false,
  streaming: false,
};

/** A prompt of some lines in English, rather easy: what a table takes for usual. */
const FEATURES: TaskFeatures = {
  promptChars: 360,
  messageCount: 1,
  estimatedPromptTokens: 100,
  estimatedFileTokens: 0,
  boundPromptTokens: 400,
  hasCode: false,
  imageCount: 0,
  hasFiles: false,
  toolCount: 0,
  language: 'en',
  complexity: 0.3,
};

/** A task that is certainly of this type and otherwise like most, for showing what is known of models. */
export function typicalProfile(taskType: TaskType): TaskProfile {
  const certain = [{ taskType, confidence: 1 }];
  return {
    taskType,
    confidence: 1,
    secondary: [],
    probabilities: certain,
    needs: NEEDS,
    features: FEATURES,
    patterns: [],
    source: 'override',
    patternsVersion: '',
    classifierVersion: '',
  };
}
