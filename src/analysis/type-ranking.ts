/** From matched patterns to task types with confidences: the one place a better classifier replaces. */
import { TASK_TYPES, type TaskType } from '../common/index';
import type { PatternMatch } from './pattern-set';
import type { SecondaryTaskType } from './task-profile';

/** What speaks for GENERAL before any pattern is seen. */
const GENERAL_PRIOR = 0.2;
/** The share that stays open: no set of patterns knows every task. */
const UNEXPLAINED = 0.15;
const DEFAULT_CONFIDENCE = 0.3;
const MIN_SECONDARY_CONFIDENCE = 0.1;
const MAX_SECONDARY = 3;

export interface TypeRanking {
  readonly taskType: TaskType;
  readonly confidence: number;
  readonly secondary: readonly SecondaryTaskType[];
  readonly source: 'patterns' | 'default';
}

const DEFAULT_RANKING: TypeRanking = Object.freeze({
  taskType: 'GENERAL',
  confidence: DEFAULT_CONFIDENCE,
  secondary: Object.freeze([]),
  source: 'default',
});

/**
 * Evidence for one type adds up as independent chances do (1 − Π(1 − weight)); confidence is a type's share of the
 * evidence for all types. Ties go to the type that stands first in TASK_TYPES.
 */
export function rankTypes(matches: readonly PatternMatch[]): TypeRanking {
  if (matches.length === 0) return DEFAULT_RANKING;
  const doubts = new Map<TaskType, number>([['GENERAL', 1 - GENERAL_PRIOR]]);
  for (const { taskType, weight } of matches)
    doubts.set(taskType, (doubts.get(taskType) ?? 1) * (1 - weight));
  let total = UNEXPLAINED;
  for (const doubt of doubts.values()) total += 1 - doubt;
  const ranked = TASK_TYPES.filter((type) => doubts.has(type))
    .map((taskType) => ({ taskType, confidence: round((1 - (doubts.get(taskType) ?? 1)) / total) }))
    .sort((one, other) => other.confidence - one.confidence);
  const [first, ...others] = ranked;
  if (!first) return DEFAULT_RANKING;
  const secondary = others
    .filter(({ confidence }) => confidence >= MIN_SECONDARY_CONFIDENCE)
    .slice(0, MAX_SECONDARY)
    .map((type) => Object.freeze(type));
  return Object.freeze({ ...first, secondary: Object.freeze(secondary), source: 'patterns' });
}

/** Three digits are enough to tell types apart, and keep stored decisions short and equal everywhere. */
function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
