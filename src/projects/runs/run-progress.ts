/** How far a run has come. Pure. */
export interface RunCounts {
  readonly tasksTotal: number;
  /** Ended ones, the reused ones among them. */
  readonly tasksDone: number;
  readonly tasksReused: number;
  /** Since its start. */
  readonly elapsedMs: number;
}

export interface Progress {
  /** 0 to 100, rounded down. */
  readonly percentDone: number;
  /** Null while nothing tells. */
  readonly estimatedRemainingMs: number | null;
}

/** The rest takes as long per task as what was done so far; what a fork took over was no work. */
export function progressOf({ tasksTotal, tasksDone, tasksReused, elapsedMs }: RunCounts): Progress {
  const left = tasksTotal - tasksDone;
  const worked = tasksDone - tasksReused;
  const percentDone = tasksTotal === 0 ? 100 : Math.floor((100 * tasksDone) / tasksTotal);
  if (left === 0) return { percentDone, estimatedRemainingMs: 0 };
  if (worked <= 0) return { percentDone, estimatedRemainingMs: null };
  return { percentDone, estimatedRemainingMs: Math.round((elapsedMs / worked) * left) };
}
