/** Which results of a run a fork takes over, and which tasks come to life again when one is tried again. Pure. */
import type { TaskState } from '../project';

export interface GraphTask {
  readonly id: string;
  readonly state: TaskState;
  readonly dependsOn: readonly string[];
}

/** The tasks behind some, and these. */
export function behind(tasks: readonly GraphTask[], ids: Iterable<string>): ReadonlySet<string> {
  const dependents = new Map<string, string[]>();
  for (const { id, dependsOn } of tasks) {
    for (const other of dependsOn) {
      const known = dependents.get(other);
      if (known) known.push(id);
      else dependents.set(other, [id]);
    }
  }
  const found = new Set(ids);
  // A set hands out what is added while it is walked.
  for (const id of found) for (const next of dependents.get(id) ?? []) found.add(next);
  return found;
}

/**
 * Tasks whose results a fork reuses: those that succeeded and depend on nothing that is done anew.
 * @param from where it begins anew; undefined: at everything that did not succeed
 */
export function reusedTasks(tasks: readonly GraphTask[], from?: string): ReadonlySet<string> {
  const unfinished = tasks.filter(({ state }) => state !== 'succeeded').map(({ id }) => id);
  const anew = behind(tasks, from === undefined ? unfinished : [...unfinished, from]);
  return new Set(tasks.filter(({ id }) => !anew.has(id)).map(({ id }) => id));
}

/**
 * Skipped tasks that can run again once `id` does: all that they depend on has succeeded, is open, or comes to life with
 * it.
 */
export function revivedTasks(tasks: readonly GraphTask[], id: string): ReadonlySet<string> {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const revived = new Set([id]);
  const candidates = [...behind(tasks, [id])].filter((other) => byId.get(other)?.state === 'skipped');
  for (let isChanged = true; isChanged;) {
    isChanged = false;
    for (const candidate of candidates) {
      if (revived.has(candidate) || !canRun(byId, candidate, revived)) continue;
      revived.add(candidate);
      isChanged = true;
    }
  }
  revived.delete(id);
  return revived;
}

function canRun(byId: ReadonlyMap<string, GraphTask>, id: string, revived: ReadonlySet<string>): boolean {
  return (byId.get(id)?.dependsOn ?? []).every((other) => revived.has(other) || !isDead(byId.get(other)));
}

/** It will not succeed any more. */
export function isDead(task: GraphTask | undefined): boolean {
  return task === undefined || ['failed', 'cancelled', 'skipped'].includes(task.state);
}
