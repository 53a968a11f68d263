import { formatUsd, type JsonObject, type PicoUsd, toApiId } from '../common/index';
import type { NewEvent } from '../events/index';
import type { Project } from './project';

/** What every event of a project says beside what it is about. No prompt, no output. */
export interface ProgressNote {
  /** One sentence. */
  readonly what: string;
  /** Of the project so far; undefined: not looked up. */
  readonly costPicoUsd?: PicoUsd;
  /** 0 to 100. */
  readonly percentDone?: number;
  readonly estimatedRemainingMs?: number;
  /** API ids and plain facts, such as `planId`. */
  readonly about?: JsonObject;
}

/** @param type such as `project.planned` */
export function projectEvent(type: string, { id, userId, status }: Project, note: ProgressNote): NewEvent {
  const { what, costPicoUsd, percentDone, estimatedRemainingMs, about } = note;
  return {
    type,
    resource: toApiId('prj', id),
    ownerId: userId,
    data: {
      what,
      status,
      ...about,
      userId: toApiId('usr', userId),
      costUsd: costPicoUsd === undefined ? null : formatUsd(costPicoUsd),
      percentDone: percentDone ?? null,
      estimatedRemainingMs: estimatedRemainingMs ?? null,
    },
  };
}
