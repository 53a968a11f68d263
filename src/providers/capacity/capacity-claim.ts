/** What one upstream call asks of the capacities it falls under. Pure. */
import type { Capacity, CatalogModel } from '../../catalog/index';

/** `queue`: another process waits there for longer. */
export const CAPACITY_LIMITS = ['requests_per_minute', 'tokens_per_minute', 'concurrency', 'queue'] as const;
export type CapacityLimit = (typeof CAPACITY_LIMITS)[number];

/** Room for one call in one scope, and the limits that hold there. */
export interface CapacityClaim {
  /** A provider's id, or a model's. */
  readonly scope: string;
  readonly requests?: number;
  readonly tokens?: number;
  readonly concurrency?: number;
  /** Tokens that the call is expected to take. */
  readonly need: number;
  readonly queueLength: number;
}

/** Tokens of an upstream call, as far as they can be told before it is sent. */
export interface ExpectedTokens {
  readonly prompt: number;
  readonly completion: number;
}

/** A call that has another candidate behind it waits for this part of the time only. */
const SHARE_WITH_FALLBACK = 0.2;

/**
 * A call whose answer may be larger than a whole minute's tokens claims all of them: it is sent when nothing else counts.
 * @returns the scope whose tokens of a minute are fewer than the prompt has, which no waiting can change
 */
export function claimsOf(
  model: CatalogModel,
  ofProvider: Capacity | undefined,
  { prompt, completion }: ExpectedTokens,
): readonly CapacityClaim[] | { readonly tooLargeFor: string } {
  const claims: CapacityClaim[] = [];
  for (const [scope, capacity] of [
    [model.provider, ofProvider],
    [model.id, model.capacity],
  ] as const) {
    if (!capacity) continue;
    const { requestsPerMinute, tokensPerMinute, concurrency, queueLength } = capacity;
    if (prompt > (tokensPerMinute ?? Infinity)) return { tooLargeFor: scope };
    claims.push({
      scope,
      requests: requestsPerMinute,
      tokens: tokensPerMinute,
      concurrency,
      need: Math.min(Math.ceil(prompt + completion), tokensPerMinute ?? Number.MAX_SAFE_INTEGER),
      queueLength,
    });
  }
  return claims;
}

/** Milliseconds that a call may wait: the shortest of its capacities, less with a fallback, never beyond its deadline. */
export function patienceMs(
  capacities: readonly (Capacity | undefined)[],
  { hasFallback, timeLeftMs }: { readonly hasFallback: boolean; readonly timeLeftMs: number },
): number {
  const queueMs = Math.min(...capacities.map((capacity) => capacity?.queueMs ?? Infinity));
  return Math.max(0, Math.min(hasFallback ? queueMs * SHARE_WITH_FALLBACK : queueMs, timeLeftMs));
}
