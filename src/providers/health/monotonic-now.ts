const STARTED_AT = performance.timeOrigin;

/** Milliseconds since the epoch as of the start of the process, and never backwards: a clock that is set does not lengthen a wait. */
export function monotonicNow(): number {
  return STARTED_AT + performance.now();
}
