import type { TaskType } from '../../common/index';
import type { Strategy } from '../../scoring/index';

/** As ids and messages name it. */
export const EXPERIMENT = { prefix: 'exp', name: 'experiment' } as const;

/** From left to right, and never back: what was measured stays what it was measured of. */
export const EXPERIMENT_STATUSES = ['draft', 'running', 'stopped'] as const;
export type ExperimentStatus = (typeof EXPERIMENT_STATUSES)[number];

/** What keeps its arm. `key`: an API key, or the user who came without one. */
export const STICKINESS = ['key', 'user', 'request'] as const;
export type Stickiness = (typeof STICKINESS)[number];

export const MIN_ARMS = 2;
export const MAX_ARMS = 5;

/** Where a part of the traffic goes: either `strategy` or `model`. */
export interface ExperimentArm {
  /** Unique among the arms. */
  readonly name: string;
  /** Above 0; the share of the traffic is weight / sum of weights. */
  readonly weight: number;
  readonly strategy?: Strategy;
  /** Catalog id of a chat model. */
  readonly model?: string;
  /** The quality target of a strategy's arm, above 0, at most 1. */
  readonly quality?: number;
}

/** What whoever makes an experiment decides. */
export interface ExperimentSettings {
  readonly name: string;
  /** Whose requests are split. */
  readonly strategy: Strategy;
  /** The first is what the others are compared to. */
  readonly arms: readonly ExperimentArm[];
  /** Only requests of these types; undefined: of all. */
  readonly taskTypes?: readonly TaskType[];
  readonly stickyBy: Stickiness;
  /** 0..1: the part of the traffic that is split at all. */
  readonly share: number;
}

export interface Experiment extends ExperimentSettings {
  /** UUID. */
  readonly id: string;
  readonly status: ExperimentStatus;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Undefined of a draft. */
  readonly startedAt?: Date;
  readonly stoppedAt?: Date;
}
