// Reads prompts as the product does; without its text, a prompt's profile is its task type alone.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { AnalysisService, PatternSet, TaskClassifier } = require('../../dist/src/analysis/index.js');

const OPTIONS = Object.freeze({ tools: [] });

export class Profiles {
  constructor(configDirs) {
    this.analysis = new AnalysisService(
      { current: PatternSet.load(configDirs) },
      TaskClassifier.load(configDirs),
      { vars: { ANALYZER_CACHE_SIZE: 100 } },
    );
  }

  of({ text, taskType, outcomes }) {
    if (text === undefined) return profileOfType(taskType, [...outcomes.values()]);
    const body = { messages: [{ role: 'user', content: text }] };
    const bodyBytes = Buffer.byteLength(JSON.stringify(body));
    return this.analysis.profile({ body, bodyBytes, options: OPTIONS });
  }
}

function profileOfType(taskType, outcomes) {
  const tokens = outcomes.reduce((sum, { promptTokens }) => sum + promptTokens, 0) / outcomes.length;
  return {
    taskType,
    confidence: 1,
    secondary: [],
    features: { complexity: 0.3, language: 'en', hasCode: false, estimatedPromptTokens: tokens },
  };
}
