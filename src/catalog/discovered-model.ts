import { type ProviderId, TASK_TYPES, type TaskType } from '../common/index';
import { timeoutsOf } from './loader/build-model';
import type { TierTables } from './loader/catalog-file.schema';
import type { CatalogModel } from './model';

/** What a provider's own list may tell of a model. */
export interface DiscoveredFacts {
  readonly contextWindowTokens?: number;
  readonly tools?: boolean;
  readonly vision?: boolean;
  readonly reasoning?: boolean;
}

const DISCOVERED_TIER = 'discovered';
const CAUTIOUS_CONTEXT_TOKENS = 8192;
const CAUTIOUS_SCORE = 0.3;

export function describeDiscovered(
  provider: ProviderId,
  upstreamId: string,
  from: { readonly facts: DiscoveredFacts; readonly tiers: TierTables },
): CatalogModel {
  const { facts } = from;
  const contextWindowTokens = facts.contextWindowTokens ?? CAUTIOUS_CONTEXT_TOKENS;
  const tools = facts.tools ?? false;
  const vision = facts.vision ?? false;
  const reasoning = facts.reasoning ?? false;
  const table: Record<string, number | undefined> = from.tiers[DISCOVERED_TIER] ?? {};
  const scores = Object.fromEntries(TASK_TYPES.map((type) => [type, table[type] ?? CAUTIOUS_SCORE]));
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
    scores: Object.freeze(scores) as Record<TaskType, number>,
    scoreSource: 'estimate',
    speed: 'slow',
    size: 'local',
    maxTokensParameter: 'max_tokens',
    status: 'active',
    timeouts: timeoutsOf('local', reasoning),
  } satisfies CatalogModel);
}
