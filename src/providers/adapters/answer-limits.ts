/** How much of an answer is read, and how long it may be in coming; for all dialects. */

export const ANSWER_LIMIT_BYTES = 64 * 1024 * 1024;
/** The text of an error status is cut there. */
export const ERROR_LIMIT_BYTES = 64 * 1024;
/** Of one event of a stream: characters or bytes. */
export const EVENT_LIMIT = 16 * 1024 * 1024;

/** Ten minutes for models that reason, five for others: some are silent for minutes and only keep the connection alive. */
const QUIET_IDLES = 10;

/**
 * How long a stream may go on without a piece of its answer, as long as anything comes: comments, pings, broken lines.
 * Milliseconds.
 */
export function quietLimitMs({ idleMs }: { readonly idleMs: number }): number {
  return QUIET_IDLES * idleMs;
}
