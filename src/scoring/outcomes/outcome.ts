import type { PicoUsd, TaskType } from '../../common/index';
import type { OutcomeProfile } from '../capabilities/outcome-row';

/** How an outcome came here: in a call, in a file, or from whoever got the answer. */
export const OUTCOME_SOURCES = ['api', 'csv', 'feedback'] as const;
export type OutcomeSource = (typeof OUTCOME_SOURCES)[number];

/** How well a model did a task. Ids are UUIDs. */
export interface Outcome {
  readonly id: string;
  /** Who reported it. */
  readonly userId: string;
  readonly source: OutcomeSource;
  /** The catalog's `baseModel`; the name as it was given where the catalog does not know it. */
  readonly model: string;
  readonly taskType: TaskType;
  /** 0..1. */
  readonly score: number;
  readonly costPicoUsd?: PicoUsd;
  readonly promptTokens?: number;
  readonly completionTokens?: number;
  /** What was measured together, such as one run of a benchmark. */
  readonly pool?: string;
  readonly dataset?: string;
  readonly promptId?: string;
  readonly requestId?: string;
  readonly comment?: string;
  readonly profile?: OutcomeProfile;
  readonly createdAt: Date;
}

/** Without `sameAs` it always counts in addition. */
export interface NewOutcome extends Omit<Outcome, 'id' | 'userId' | 'createdAt'> {
  /** Digest of what it is the outcome of; a later one with the same replaces it. */
  readonly sameAs?: string;
}

/** Which outcomes; what is undefined does not narrow. */
export interface OutcomeFilter {
  /** Any of these names. */
  readonly models?: readonly string[];
  readonly taskType?: TaskType;
  readonly source?: OutcomeSource;
  readonly pool?: string;
}

/** What became of outcomes that were reported. */
export interface Stored {
  readonly added: number;
  readonly replaced: number;
}
