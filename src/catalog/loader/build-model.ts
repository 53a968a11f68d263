import { type ProviderId, TASK_TYPES, type TaskType } from '../../common/index';
import type { CatalogModel, ModelCapabilities, ToolsApi } from '../model';
import { type CompleteEntry, completeModelSchema, type TierTables } from './catalog-file.schema';
import { buildEmbeddingModel } from './build-embedding-model';
import { capacityOf } from './capacity';
import { type MergedEntry, modelName } from './merge';
import { timeoutsOf } from './timeouts';
import { hasResponses, RESPONSES_PROVIDERS } from './tools-api';
import { misfit } from './read-files';
import { wrong } from './wrong';

const NO_CAPABILITIES: ModelCapabilities = {
  tools: false,
  parallelTools: false,
  jsonObject: false,
  jsonSchema: false,
  vision: false,
  reasoning: false,
  streaming: true,
  sampling: true,
};

/** @throws ConfigurationError naming file, place and reason when the merged entry is not a whole model. */
export function buildModel(merged: MergedEntry, tiers: TierTables): CatalogModel {
  const { base: _, ...plain } = merged.entry;
  if (plain.embedding) return buildEmbeddingModel(merged);
  const parsed = completeModelSchema.safeParse(plain);
  if (!parsed.success) throw misfit(merged.file, merged.path, parsed.error);
  const entry = parsed.data;
  if (entry.maxOutputTokens > entry.contextWindowTokens) {
    throw wrong(merged, 'maxOutputTokens', 'is larger than contextWindowTokens');
  }
  const scores = scoresOf(entry, tiers, merged);
  return freeze(entry, scores, merged);
}

function freeze(
  entry: CompleteEntry,
  scores: Readonly<Record<TaskType, number>>,
  merged: MergedEntry,
): CatalogModel {
  const name = modelName(entry.id);
  const input = entry.input ?? ['text'];
  const supports = { ...NO_CAPABILITIES, ...entry.supports, vision: input.includes('image') };
  return Object.freeze({
    id: entry.id,
    provider: entry.id.slice(0, entry.id.indexOf('/')) as ProviderId,
    upstreamId: entry.upstreamId ?? name,
    baseModel: entry.baseModel ?? name,
    displayName: entry.displayName ?? name,
    contextWindowTokens: entry.contextWindowTokens,
    maxOutputTokens: entry.maxOutputTokens,
    maxImageTokens: entry.maxImageTokens,
    input: Object.freeze([...input]),
    supports: Object.freeze(supports),
    scores,
    scoreSource: 'estimate',
    speed: entry.speed,
    size: entry.size,
    maxTokensParameter: entry.maxTokensParameter ?? 'max_tokens',
    toolsApi: toolsApiOf(entry, merged),
    asksStreamUsage: entry.asksStreamUsage,
    status: entry.status ?? 'active',
    successor: entry.successor,
    aliases: Object.freeze([...(entry.aliases ?? [])]),
    isDeployment: merged.entry.base !== undefined,
    timeouts: timeoutsOf(entry.size, supports.reasoning, entry.timeouts),
    capacity: capacityOf(entry.capacity, merged),
    priceId: entry.priceId,
    allowUnknownPrice: entry.allowUnknownPrice ?? false,
  } satisfies CatalogModel);
}

function scoresOf(
  entry: CompleteEntry,
  tiers: TierTables,
  merged: MergedEntry,
): Readonly<Record<TaskType, number>> {
  const table = entry.tier === undefined ? {} : tiers[entry.tier];
  if (!table) {
    const known = Object.keys(tiers).join(', ');
    throw wrong(merged, 'tier', `"${entry.tier}" is not one of the tiers ${known}`);
  }
  const all: Record<string, number | undefined> = { ...table, ...entry.scores };
  const missing = TASK_TYPES.filter((type) => all[type] === undefined);
  if (missing.length > 0)
    throw wrong(merged, 'scores', `${missing.join(', ')} missing, and no tier gives them`);
  return Object.freeze(Object.fromEntries(TASK_TYPES.map((type) => [type, all[type]]))) as Record<
    TaskType,
    number
  >;
}

function toolsApiOf({ id, toolsApi }: CompleteEntry, merged: MergedEntry): ToolsApi | undefined {
  if (toolsApi !== 'responses' || hasResponses(id)) return toolsApi;
  throw wrong(merged, 'toolsApi', `"responses" is for models of ${RESPONSES_PROVIDERS.join(' and ')}`);
}
