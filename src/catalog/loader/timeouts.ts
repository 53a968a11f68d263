import type { ModelSize, ModelTimeouts } from '../model';

const SECOND = 1000;
const TOTAL_MS: Record<ModelSize, number> = { small: 30 * SECOND, large: 60 * SECOND, local: 120 * SECOND };

export function timeoutsOf(
  size: ModelSize,
  isReasoning: boolean,
  own: Partial<ModelTimeouts> = {},
): ModelTimeouts {
  return Object.freeze({
    connectMs: 5 * SECOND,
    firstByteMs: TOTAL_MS[size],
    idleMs: (isReasoning ? 60 : 30) * SECOND,
    totalMs: TOTAL_MS[size],
    ...own,
  });
}
