import type { CatalogModel, PriceVersion } from '../../src/catalog/index';
import {
  type ChatBody,
  type ChatRequest,
  newId,
  type RequestContext,
  TASK_TYPES,
  type TaskType,
} from '../../src/common/index';
import type { ExecutionPlan, PlannedModel } from '../../src/selection/index';
import type { TaskProfile } from '../../src/analysis/index';

export function aModel(overrides: Partial<CatalogModel> = {}): CatalogModel {
  const id = overrides.id ?? 'openai/gpt-test';
  const [provider = 'openai', name = 'gpt-test'] = id.split('/');
  return {
    id,
    provider: provider as CatalogModel['provider'],
    upstreamId: name,
    baseModel: name,
    displayName: name,
    contextWindowTokens: 128_000,
    maxOutputTokens: 16_000,
    input: ['text', 'image'],
    supports: {
      tools: true,
      parallelTools: true,
      jsonObject: true,
      jsonSchema: true,
      vision: true,
      reasoning: false,
      streaming: true,
      sampling: true,
    },
    scores: Object.fromEntries(TASK_TYPES.map((type) => [type, 0.5])) as Record<TaskType, number>,
    scoreSource: 'estimate',
    speed: 'medium',
    size: 'small',
    maxTokensParameter: 'max_tokens',
    status: 'active',
    timeouts: { connectMs: 2000, firstByteMs: 5000, idleMs: 5000, totalMs: 10_000 },
    ...overrides,
  };
}

/** $0.15 and $0.60 per million tokens. */
export function aPrice(overrides: Partial<PriceVersion> = {}): PriceVersion {
  return {
    version: 1,
    model: 'openai/gpt-test',
    prices: { inputPicoUsd: 150_000n, outputPicoUsd: 600_000n },
    tiers: [],
    source: 'test',
    validFrom: new Date(0),
    ...overrides,
  };
}

export function aPlanned(model: Partial<CatalogModel> = {}, price: Partial<PriceVersion> = {}): PlannedModel {
  const factors = { capability: 0.5, context: 0.5, speed: 0.5, cost: 0.5, health: 1 };
  return { model: aModel(model), price: aPrice(price), score: 0.5, factors, quality: 0.5, prior: 0 };
}

export function aProfile(overrides: Partial<TaskProfile['features']> = {}): TaskProfile {
  return {
    taskType: 'GENERAL',
    confidence: 0.5,
    secondary: [],
    needs: {
      vision: false,
      document: false,
      audio: false,
      video: false,
      tools: false,
      jsonSchema: false,
      jsonObject: false,
      streaming: false,
    },
    features: {
      promptChars: 40,
      messageCount: 1,
      estimatedPromptTokens: 11,
      estimatedFileTokens: 0,
      boundPromptTokens: 100,
      hasCode: false,
      imageCount: 0,
      hasFiles: false,
      toolCount: 0,
      language: 'en',
      complexity: 0.1,
      ...overrides,
    },
    patterns: [],
    source: 'default',
    probabilities: [],
    patternsVersion: 'test',
    classifierVersion: 'test',
  };
}

export function aRequest(
  body: Partial<ChatBody> = {},
  options: Partial<ChatRequest['options']> = {},
): ChatRequest {
  const full: ChatBody = { model: 'auto', messages: [{ role: 'user', content: 'Hello there' }], ...body };
  return {
    body: full,
    options: { tools: [], ...options },
    bodyBytes: Buffer.byteLength(JSON.stringify(full)),
  };
}

export function aPlan(
  candidates: readonly PlannedModel[],
  overrides: Partial<ExecutionPlan> = {},
): ExecutionPlan {
  return {
    decisionId: newId(),
    strategy: 'auto',
    profile: aProfile(),
    candidates,
    ranking: candidates,
    filtered: [],
    warnings: [],
    versions: {
      catalog: 'c',
      prices: 1,
      weights: 'w',
      guide: 'g',
      patterns: 'p',
      classifier: 'classifier-1',
      capabilities: 'prior',
      performance: 'none',
    },
    ...overrides,
  };
}

export function aContext(overrides: Partial<RequestContext> = {}): RequestContext {
  return {
    requestId: newId(),
    traceId: 'a'.repeat(32),
    principal: { userId: newId(), role: 'operator' },
    signal: new AbortController().signal,
    ...overrides,
  };
}
