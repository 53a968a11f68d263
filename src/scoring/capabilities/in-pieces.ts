/** Long calculations that leave the event loop to others in between: streams must not wait for them. */
import { setImmediate } from 'node:timers/promises';

/** Milliseconds in one go. Where the work yields, a piece may end; when it does changes nothing of the result. */
const PIECE_MS = 5;
/** Values sorted, or brought together, between two yields. */
const SORTED_AT_ONCE = 256;

/** @param work yields wherever it may wait, far more often than it has to */
export async function inPieces<T>(work: Generator<void, T>): Promise<T> {
  let end = performance.now() + PIECE_MS;
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) return step.value;
    if (performance.now() < end) continue;
    await setImmediate();
    end = performance.now() + PIECE_MS;
  }
}

/** As `toSorted`, which nobody can interrupt. */
export function* sorted<T>(
  values: readonly T[],
  compare: (one: T, other: T) => number,
): Generator<void, readonly T[]> {
  let runs: (readonly T[])[] = [];
  for (let start = 0; start < values.length; start += SORTED_AT_ONCE) {
    runs.push(values.slice(start, start + SORTED_AT_ONCE).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const longer: (readonly T[])[] = [];
    for (let at = 0; at < runs.length; at += 2)
      longer.push(yield* merged(runs[at] ?? [], runs[at + 1] ?? [], compare));
    runs = longer;
  }
  return runs[0] ?? [];
}

/** Of equal ones, those of the first come first. */
function* merged<T>(
  first: readonly T[],
  second: readonly T[],
  compare: (one: T, other: T) => number,
): Generator<void, readonly T[]> {
  const all: T[] = [];
  let taken = 0;
  for (const value of first) {
    while (taken < second.length && compare(second[taken] as T, value) < 0) {
      all.push(second[taken] as T);
      taken += 1;
      if (all.length % SORTED_AT_ONCE === 0) yield;
    }
    all.push(value);
    if (all.length % SORTED_AT_ONCE === 0) yield;
  }
  return taken === 0 && all.length === 0 ? second : all.concat(second.slice(taken));
}
