/** What the provider's log says about calls that were made again after a process had died or stood still. Pure. */
import type { Disturbance } from './project-chaos';
import type { StepCall } from './project-work';
import { slotOf } from './service-cluster';

export interface Repetition {
  readonly stepKey: string;
  readonly first: StepCall;
  readonly again: StepCall;
  /** What befell the process of the first call between the two; undefined: nothing, so nobody should have asked again. */
  readonly cause?: Disturbance;
}

/** Calls for a step that had been asked for before, each with what explains it. */
export function repetitions(
  calls: readonly StepCall[],
  disturbances: readonly Disturbance[],
): readonly Repetition[] {
  return [...byKey(calls, ({ stepKey }) => stepKey)].flatMap(([stepKey, own]) =>
    own.slice(1).map((again, index): Repetition => {
      const first = own[index] as StepCall;
      const cause = disturbances.find(
        ({ slot, at }) => slot === slotOf(first) && at >= first.at && at <= again.at,
      );
      return { stepKey, first, again, cause };
    }),
  );
}

/**
 * Milliseconds from a kill to the first call of a task that the dead process had in flight; undefined: none of them was
 * asked for again.
 */
export function resumedAfterMs(calls: readonly StepCall[], { slot, at }: Disturbance): number | undefined {
  const gaps = [...byKey(calls, ({ taskId }) => taskId).values()].flatMap((own) => {
    const next = own.findIndex((call) => call.at > at);
    const last = own[next - 1];
    const resumed = own[next];
    const wasInFlight = last && slotOf(last) === slot && (last.endedAt ?? Infinity) >= at;
    return resumed && wasInFlight && slotOf(resumed) !== slot ? [resumed.at - at] : [];
  });
  return gaps.length > 0 ? Math.min(...gaps) : undefined;
}

function byKey(calls: readonly StepCall[], keyOf: (call: StepCall) => string): Map<string, StepCall[]> {
  const groups = new Map<string, StepCall[]>();
  for (const call of calls) {
    const group = groups.get(keyOf(call));
    if (group) group.push(call);
    else groups.set(keyOf(call), [call]);
  }
  return groups;
}
