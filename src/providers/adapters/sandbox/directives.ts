/**
 * What the last user message tells the sandbox to do, for instance `[[sandbox:fail=429 retry-after=1]]`. Several may
 * stand in one pair of brackets or in several pairs.
 */
export interface Directives {
  /** An HTTP status, `connect`, `timeout`, `malformed`, `content_filter`, or `none` for models that fail by themselves. */
  readonly fail?: string;
  /** Seconds that come with a failure. */
  readonly retryAfterSeconds?: number;
  /** Only the first attempts of a request fail. */
  readonly times?: number;
  /** Only this model obeys the other directives. */
  readonly model?: string;
  /** The prompt counts as too long. */
  readonly isTooLong: boolean;
  /** The stream is cut, or goes silent, after this many chunks. */
  readonly cutAfter?: number;
  readonly stallAfter?: number;
  /** Milliseconds before the first byte, and between chunks. */
  readonly delayMs: number;
  readonly paceMs: number;
  /** Tools to call, in this order. */
  readonly tools: readonly string[];
  /** Rounds of tool calls before the final answer. */
  readonly rounds?: number;
  /** Length of the answer. */
  readonly words?: number;
}

const BRACKETS = /\[\[sandbox:([^\]]{1,400})\]\]/g;

export function directivesIn(text: string): Directives {
  const found = new Map<string, string>();
  // Most prompts hold none, and those cost one search.
  if (text.includes('[[sandbox:')) {
    for (const [, inside = ''] of text.matchAll(BRACKETS)) {
      for (const item of inside.trim().split(/\s+/)) {
        const [name = '', value = ''] = item.split('=', 2);
        found.set(name, value);
      }
    }
  }
  const count = (name: string): number | undefined => countOf(found.get(name));
  return {
    fail: found.get('fail') || undefined,
    retryAfterSeconds: count('retry-after'),
    times: count('times'),
    model: found.get('model'),
    isTooLong: found.has('context_length'),
    cutAfter: count('cut'),
    stallAfter: count('stall'),
    delayMs: count('delay') ?? 0,
    paceMs: count('pace') ?? 0,
    tools: found.get('tool')?.split(',').filter(Boolean) ?? [],
    rounds: count('rounds'),
    words: count('words'),
  };
}

export function withoutDirectives(text: string): string {
  return text.replace(BRACKETS, '').trim();
}

const MAX_COUNT = 1_000_000;

function countOf(text: string | undefined): number | undefined {
  return text && /^\d{1,9}$/.test(text) ? Math.min(Number(text), MAX_COUNT) : undefined;
}
