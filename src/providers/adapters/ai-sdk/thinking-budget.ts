/** Room for the answer itself beside the thinking. */
const MIN_ANSWER_TOKENS = 256;
const SHARE_OF_LIMIT: Readonly<Record<string, number>> = { minimal: 0.1, low: 0.2, medium: 0.5, high: 0.8 };
const LARGEST_SHARE = 0.9;

/**
 * How many of the output tokens an effort lets a model think with. Thoughts count against the output limit, which is
 * what the caller asked for and what was reserved. @returns undefined when the limit leaves not even `min`.
 */
export function thinkingBudget(
  effort: string,
  maxOutputTokens: number,
  { min, max = Infinity }: { readonly min: number; readonly max?: number },
): number | undefined {
  const largest = Math.min(max, maxOutputTokens - MIN_ANSWER_TOKENS);
  if (largest < min) return undefined;
  const wanted = Math.floor(maxOutputTokens * (SHARE_OF_LIMIT[effort] ?? LARGEST_SHARE));
  return Math.min(largest, Math.max(min, wanted));
}
