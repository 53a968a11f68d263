import { type ProviderId, TASK_TYPES, type TaskType } from '../common/index';
import { NO_CHAT, NO_SCORES } from './loader/build-embedding-model';
import { timeoutsOf } from './loader/timeouts';
import type { TierTables } from './loader/catalog-file.schema';
import type { CatalogModel, ModelTimeouts } from './model';

/** What a provider's own list may tell of a model. */
export interface DiscoveredFacts {
  readonly contextWindowTokens?: number;
  readonly tools?: boolean;
  readonly vision?: boolean;
  readonly reasoning?: boolean;
  /** Set on models that make embeddings. */
  readonly embedding?: { readonly dimensions?: number; readonly maxInputTokens?: number };
}

interface DiscoveredFrom {
  readonly facts: DiscoveredFacts;
  readonly tiers: TierTables;
  /** What the files say for all models of the provider. */
  readonly timeouts?: Partial<ModelTimeouts>;
}

const DISCOVERED_TIER = 'discovered';
const CAUTIOUS_CONTEXT_TOKENS = 8192;
const CAUTIOUS_SCORE = 0.3;
/** What the smallest models read of one text. */
const CAUTIOUS_INPUT_TOKENS = 512;
const CAUTIOUS_BATCH = 512;

export function describeDiscovered(
  provider: ProviderId,
  upstreamId: string,
  from: DiscoveredFrom,
): CatalogModel {
  const { facts, timeouts } = from;
  if (facts.embedding) return describeEmbedding(provider, upstreamId, facts.embedding, timeouts);
  const contextWindowTokens = facts.contextWindowTokens ?? CAUTIOUS_CONTEXT_TOKENS;
  const tools = facts.tools ?? false;
  const vision = facts.vision ?? false;
  const reasoning = facts.reasoning ?? false;
  return Object.freeze({
    id: `${provider}/${upstreamId}`,
    provider,
    upstreamId,
    baseModel: upstreamId,
    displayName: upstreamId,
    contextWindowTokens,
    maxOutputTokens: contextWindowTokens,
    input: Object.freeze(vision ? (['text', 'image'] as const) : (['text'] as const)),
    supports: Object.freeze({
      tools,
      parallelTools: tools,
      jsonObject: true,
      jsonSchema: true,
      vision,
      reasoning,
      streaming: true,
      sampling: true,
    }),
    scores: cautiousScores(from.tiers),
    scoreSource: 'estimate',
    speed: 'slow',
    size: 'local',
    maxTokensParameter: 'max_tokens',
    status: 'active',
    timeouts: timeoutsOf('local', reasoning, timeouts),
  } satisfies CatalogModel);
}

function cautiousScores(tiers: TierTables): Readonly<Record<TaskType, number>> {
  const table: Record<string, number | undefined> = tiers[DISCOVERED_TIER] ?? {};
  const scores = Object.fromEntries(TASK_TYPES.map((type) => [type, table[type] ?? CAUTIOUS_SCORE]));
  return Object.freeze(scores) as Record<TaskType, number>;
}

/**
 * A server of local models cuts what its model cannot read, and packs vectors or, in old versions, ignores that it was
 * asked to; a name without its tag means the `latest`.
 */
function describeEmbedding(
  provider: ProviderId,
  upstreamId: string,
  facts: NonNullable<DiscoveredFacts['embedding']>,
  timeouts: DiscoveredFrom['timeouts'],
): CatalogModel {
  const [bare = upstreamId, tag] = upstreamId.split(':');
  return Object.freeze({
    id: `${provider}/${upstreamId}`,
    provider,
    upstreamId,
    baseModel: upstreamId,
    displayName: upstreamId,
    embedding: Object.freeze({
      dimensions: facts.dimensions,
      minDimensions: 1,
      maxBatch: CAUTIOUS_BATCH,
      takesTokens: false,
      hasInputTypes: false,
      cutsLongTexts: true,
      hasBase64: true,
      quality: CAUTIOUS_SCORE,
    }),
    contextWindowTokens: facts.maxInputTokens ?? CAUTIOUS_INPUT_TOKENS,
    maxOutputTokens: 0,
    input: Object.freeze(['text'] as const),
    supports: NO_CHAT,
    scores: NO_SCORES,
    scoreSource: 'estimate',
    speed: 'medium',
    size: 'local',
    maxTokensParameter: 'max_tokens',
    status: 'active',
    aliases: Object.freeze(tag === 'latest' ? [bare] : []),
    timeouts: timeoutsOf('local', false, timeouts),
  } satisfies CatalogModel);
}
