import type { TaskType } from '../../common/index';

/**
 * Outcomes that belong together: `count` answers of one model to tasks of the same kind. Rows with a `profile` are mostly
 * single outcomes; those without can be summed per model and task type before. The order of rows never matters.
 */
export interface OutcomeRow {
  /** As the caller named it at recording time, resolved to the catalog's `baseModel` where it is known there. */
  readonly model: string;
  readonly taskType: TaskType;
  /** Absent: all that is known of the task is its type. */
  readonly profile?: OutcomeProfile;
  /** Where the task comes from, as whoever reported the outcome calls it: tasks of one data set are alike. */
  readonly dataset?: string;
  readonly count: number;
  /** Mean score, 0..1. */
  readonly mean: number;
  /** Sum of the squares of the scores. */
  readonly sumOfSquares: number;
}

/** What is kept of a task's profile with its outcome; the prompt itself is not. */
export interface OutcomeProfile {
  /** With their probabilities, the likeliest first; what is missing to 1 belongs to no type in particular. */
  readonly types: readonly { readonly taskType: TaskType; readonly confidence: number }[];
  /** 0 trivial .. 1 hard. */
  readonly complexity: number;
  /** ISO 639-1, `und` when unclear. */
  readonly language: string;
  readonly promptTokens: number;
  readonly hasCode: boolean;
  /** What the words tell beyond the types: a few dozen numbers, see `TaskProfile.sketch`. */
  readonly sketch?: readonly number[];
}
