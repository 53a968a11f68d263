/** Turns the tasks of a plan into a graph. Pure; a plan of 5,000 tasks takes some milliseconds. */
import { PlanCycleError, TooManyDependenciesError } from '../projects.errors';
import {
  type DraftTask,
  MAX_PLAN_DEPENDENCIES,
  MAX_PLAN_WARNINGS,
  type PlanWarning,
  type TaskGraph,
  type WarningCode,
} from './plan';

/** A dependency as it was understood: a position, or why it is left out. */
type Found = number | Refusal;
type Refusal = Exclude<WarningCode, 'MORE_WARNINGS'>;

const INDEX = /^\d{1,9}$/;
/** Of a written value that a warning shows. */
const SHOWN_CHARS = 200;

const REASONS: Readonly<Record<Refusal, string>> = {
  DUPLICATE_DEPENDENCY: 'it stands there already',
  UNKNOWN_DEPENDENCY: 'there is no such task',
  AMBIGUOUS_DEPENDENCY: 'several tasks have this title',
  SELF_DEPENDENCY: 'a task cannot wait for itself',
  INVALID_DEPENDENCY: 'it is neither the index of a task (from 0) nor a title',
};

/**
 * Dependencies are indexes from 0, as numbers or numeric text, or titles: the exact one first, then without regard to case
 * and blanks around it. What cannot be one is left out, with a warning.
 * @throws TooManyDependenciesError, PlanCycleError
 */
export function decompose(tasks: readonly DraftTask[]): TaskGraph {
  const written = tasks.reduce((sum, { dependsOn }) => sum + dependsOn.length, 0);
  if (written > MAX_PLAN_DEPENDENCIES) throw new TooManyDependenciesError(written, MAX_PLAN_DEPENDENCIES);
  const titles = new Titles(tasks);
  const warnings = new Warnings();
  const graph = tasks.map((task, at) => {
    const dependsOn = new Set<number>();
    for (const written of task.dependsOn) {
      const found = meant(written, tasks.length, titles);
      const code = typeof found === 'string' ? found : refusalOf(found, at, dependsOn);
      if (code !== undefined) warnings.add(code, task.title, written);
      else dependsOn.add(found as number);
    }
    return { ...task, dependsOn: [...dependsOn] };
  });
  refuseCycle(graph);
  return { tasks: graph, warnings: warnings.all() };
}

function refusalOf(found: number, at: number, earlier: ReadonlySet<number>): Refusal | undefined {
  if (found === at) return 'SELF_DEPENDENCY';
  return earlier.has(found) ? 'DUPLICATE_DEPENDENCY' : undefined;
}

function meant(written: unknown, count: number, titles: Titles): Found {
  if (typeof written === 'number') {
    if (!Number.isInteger(written) || written < 0) return 'INVALID_DEPENDENCY';
    return written < count ? written : 'UNKNOWN_DEPENDENCY';
  }
  if (typeof written !== 'string' || written.trim() === '') return 'INVALID_DEPENDENCY';
  const exact = titles.exact(written);
  if (exact !== undefined) return exact;
  const text = written.trim();
  if (INDEX.test(text)) return Number(text) < count ? Number(text) : 'UNKNOWN_DEPENDENCY';
  return titles.similar(text) ?? 'UNKNOWN_DEPENDENCY';
}

/** Positions by title; those that several tasks have are ambiguous. */
class Titles {
  private readonly written = new Map<string, Found>();
  private readonly folded = new Map<string, Found>();

  constructor(tasks: readonly DraftTask[]) {
    for (const [at, { title }] of tasks.entries()) {
      note(this.written, title, at);
      note(this.folded, folded(title), at);
    }
  }

  exact(title: string): Found | undefined {
    return this.written.get(title);
  }

  similar(title: string): Found | undefined {
    return this.folded.get(folded(title));
  }
}

function note(titles: Map<string, Found>, title: string, at: number): void {
  titles.set(title, titles.has(title) ? 'AMBIGUOUS_DEPENDENCY' : at);
}

function folded(title: string): string {
  return title.trim().toLowerCase();
}

/** A bounded number of them, however many dependencies are left out. */
class Warnings {
  private readonly kept: PlanWarning[] = [];
  private more = 0;

  add(code: Refusal, task: string, written: unknown): void {
    if (this.kept.length < MAX_PLAN_WARNINGS) this.kept.push(warningOf(code, task, written));
    else this.more += 1;
  }

  all(): readonly PlanWarning[] {
    if (this.more === 0) return this.kept;
    const message = `${this.more} more dependencies are left out`;
    return [...this.kept, { code: 'MORE_WARNINGS', task: '', value: String(this.more), message }];
  }
}

function warningOf(code: Refusal, task: string, written: unknown): PlanWarning {
  const whole = typeof written === 'string' ? written : (JSON.stringify(written) ?? String(written));
  const value = whole.slice(0, SHOWN_CHARS).toWellFormed();
  return { code, task, value, message: `“${task}” does not wait for “${value}”: ${REASONS[code]}` };
}

/** Takes away what waits for nothing, until nothing is left, or only what waits for each other. */
function refuseCycle(tasks: TaskGraph['tasks']): void {
  const open = tasks.map(({ dependsOn }) => dependsOn.length);
  const dependents: number[][] = tasks.map(() => []);
  for (const [at, { dependsOn }] of tasks.entries()) {
    for (const other of dependsOn) dependents[other]?.push(at);
  }
  const free = open.flatMap((count, at) => (count === 0 ? [at] : []));
  for (let next = free.pop(); next !== undefined; next = free.pop()) {
    for (const at of dependents[next] ?? []) {
      const left = (open[at] ?? 0) - 1;
      open[at] = left;
      if (left === 0) free.push(at);
    }
  }
  const start = open.findIndex((count) => count > 0);
  if (start >= 0) throw new PlanCycleError(circleFrom(start, tasks, open));
}

/** Whatever is still open waits for something open, so that following it comes back to where it was. */
function circleFrom(start: number, tasks: TaskGraph['tasks'], open: readonly number[]): string[] {
  const seen = new Map<number, number>();
  const path: number[] = [];
  let at = start;
  while (!seen.has(at)) {
    seen.set(at, path.length);
    path.push(at);
    at = tasks[at]?.dependsOn.find((other) => (open[other] ?? 0) > 0) ?? at;
  }
  return [...path.slice(seen.get(at)), at].map((position) => tasks[position]?.title ?? '');
}
