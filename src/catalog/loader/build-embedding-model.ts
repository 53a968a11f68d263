import { type ProviderId, TASK_TYPES, type TaskType } from '../../common/index';
import type { CatalogModel, EmbeddingFacts, ModelCapabilities } from '../model';
import { type CompleteEmbeddingEntry, completeEmbeddingSchema } from './catalog-file.schema';
import { capacityOf } from './capacity';
import { type MergedEntry, modelName } from './merge';
import { misfit } from './read-files';
import { timeoutsOf } from './timeouts';
import { wrong } from './wrong';

/** An embedding model answers with vectors: none of what chats can do. */
export const NO_CHAT: ModelCapabilities = Object.freeze({
  tools: false,
  parallelTools: false,
  jsonObject: false,
  jsonSchema: false,
  vision: false,
  reasoning: false,
  streaming: false,
  sampling: false,
});
export const NO_SCORES = Object.freeze(Object.fromEntries(TASK_TYPES.map((type) => [type, 0]))) as Readonly<
  Record<TaskType, number>
>;

/** @throws ConfigurationError naming file, place and reason when the merged entry is not a whole embedding model. */
export function buildEmbeddingModel(merged: MergedEntry): CatalogModel {
  const { base, ...plain } = merged.entry;
  const parsed = completeEmbeddingSchema.safeParse(plain);
  if (!parsed.success) throw misfit(merged.file, merged.path, parsed.error);
  const entry = parsed.data;
  const name = modelName(entry.id);
  return Object.freeze({
    id: entry.id,
    provider: entry.id.slice(0, entry.id.indexOf('/')) as ProviderId,
    upstreamId: entry.upstreamId ?? name,
    baseModel: entry.baseModel ?? name,
    displayName: entry.displayName ?? name,
    embedding: factsOf(entry, merged),
    contextWindowTokens: entry.contextWindowTokens,
    maxOutputTokens: 0,
    input: Object.freeze(['text'] as const),
    supports: NO_CHAT,
    scores: NO_SCORES,
    scoreSource: 'estimate',
    speed: entry.speed,
    size: entry.size,
    maxTokensParameter: 'max_tokens',
    status: entry.status ?? 'active',
    successor: entry.successor,
    aliases: Object.freeze([...(entry.aliases ?? [])]),
    isDeployment: base !== undefined,
    timeouts: timeoutsOf(entry.size, false, entry.timeouts),
    capacity: capacityOf(entry.capacity, merged),
    priceId: entry.priceId,
    allowUnknownPrice: entry.allowUnknownPrice ?? false,
  } satisfies CatalogModel);
}

function factsOf({ embedding }: CompleteEmbeddingEntry, merged: MergedEntry): EmbeddingFacts {
  const { dimensions, allowedDimensions, minDimensions } = embedding;
  if (allowedDimensions && minDimensions !== undefined) {
    throw wrong(merged, 'embedding.minDimensions', 'stands beside allowedDimensions; give one of them');
  }
  if (dimensions !== undefined && minDimensions !== undefined && minDimensions > dimensions) {
    throw wrong(merged, 'embedding.minDimensions', 'is larger than dimensions');
  }
  return Object.freeze({
    ...embedding,
    allowedDimensions: allowedDimensions && Object.freeze([...allowedDimensions]),
    takesTokens: embedding.takesTokens ?? false,
    hasInputTypes: embedding.hasInputTypes ?? false,
    cutsLongTexts: embedding.cutsLongTexts ?? false,
    hasBase64: embedding.hasBase64 ?? false,
  });
}
