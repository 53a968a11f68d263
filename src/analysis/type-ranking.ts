import type { TaskType } from '../common/index';
import type { TypeProbability } from './classifier/task-classifier';
import type { SecondaryTaskType } from './task-profile';

const DEFAULT_CONFIDENCE = 0.3;
const MIN_SECONDARY_CONFIDENCE = 0.1;
const MAX_SECONDARY = 3;
const MIN_PROBABILITY = 0.01;

export interface TypeRanking {
  readonly taskType: TaskType;
  readonly confidence: number;
  readonly secondary: readonly SecondaryTaskType[];
  readonly source: 'classifier' | 'default';
  /** From 0.01 on, the likeliest first. */
  readonly probabilities: readonly SecondaryTaskType[];
}

const DEFAULT_RANKING: TypeRanking = Object.freeze({
  taskType: 'GENERAL',
  confidence: DEFAULT_CONFIDENCE,
  secondary: Object.freeze([]),
  source: 'default',
  probabilities: Object.freeze([]),
});

/** @param probabilities the likeliest first; none: there is nothing to go by. */
export function rankTypes(probabilities: readonly TypeProbability[]): TypeRanking {
  const rounded = probabilities.map(({ taskType, probability }) =>
    Object.freeze({ taskType, confidence: round(probability) }),
  );
  const [first, ...others] = rounded;
  if (!first) return DEFAULT_RANKING;
  const secondary = others
    .filter(({ confidence }) => confidence >= MIN_SECONDARY_CONFIDENCE)
    .slice(0, MAX_SECONDARY);
  return Object.freeze({
    ...first,
    secondary: Object.freeze(secondary),
    source: 'classifier',
    probabilities: Object.freeze(rounded.filter(({ confidence }) => confidence >= MIN_PROBABILITY)),
  });
}

/** Three digits are enough to tell types apart, and keep stored decisions short and equal everywhere. */
function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
