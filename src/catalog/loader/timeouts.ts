import type { ModelSize, ModelTimeouts } from '../model';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const TOTAL_MS: Record<ModelSize, number> = { small: 30 * SECOND, large: MINUTE, local: 2 * MINUTE };
/** A model that thinks shows nothing until it has thought; half of what a request may take, so another seller still can. */
const THINKING_MS = 5 * MINUTE;

/** @param own what the catalog files say, for the model before its provider */
export function timeoutsOf(
  size: ModelSize,
  isReasoning: boolean,
  own: Partial<ModelTimeouts> = {},
): ModelTimeouts {
  const answerMs = isReasoning ? Math.max(TOTAL_MS[size], THINKING_MS) : TOTAL_MS[size];
  return Object.freeze({
    connectMs: 5 * SECOND,
    firstByteMs: answerMs,
    idleMs: (isReasoning ? 60 : 30) * SECOND,
    totalMs: answerMs,
    ...own,
  });
}
