import { TASK_TYPES } from '../../../src/common/index';
import type { CatalogModel, ModelTimeouts } from '../../../src/catalog/index';

export const PATIENT: ModelTimeouts = {
  connectMs: 5_000,
  firstByteMs: 10_000,
  idleMs: 10_000,
  totalMs: 10_000,
};

/** A callable model with everything switched on; override what a case is about. */
export function catalogModel(overrides: Partial<CatalogModel> = {}): CatalogModel {
  const upstreamId = overrides.upstreamId ?? 'test-model-1';
  const provider = overrides.provider ?? 'openai';
  return {
    id: `${provider}/${upstreamId}`,
    provider,
    upstreamId,
    baseModel: upstreamId,
    displayName: upstreamId,
    contextWindowTokens: 128_000,
    maxOutputTokens: 16_000,
    input: ['text', 'image'],
    supports: {
      tools: true,
      parallelTools: true,
      jsonObject: true,
      jsonSchema: true,
      vision: true,
      reasoning: true,
      streaming: true,
      sampling: true,
    },
    scores: Object.fromEntries(TASK_TYPES.map((type) => [type, 0.5])) as CatalogModel['scores'],
    scoreSource: 'estimate',
    speed: 'medium',
    size: 'large',
    maxTokensParameter: 'max_tokens',
    status: 'active',
    timeouts: PATIENT,
    ...overrides,
  };
}
