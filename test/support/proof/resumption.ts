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

/**
 * Calls for a step that had been asked for before, each with what explains it. First is whoever began to ask first: a
 * process may stand still before its call is on its way, and send it after that of its successor.
 */
export function repetitions(
  calls: readonly StepCall[],
  disturbances: readonly Disturbance[],
): readonly Repetition[] {
  return [...byKey(calls, ({ stepKey }) => stepKey)].flatMap(([stepKey, all]) => {
    const own = all.toSorted((one, other) => begunAt(one) - begunAt(other));
    return own.slice(1).map((again, index): Repetition => {
      const first = own[index] as StepCall;
      const cause = disturbances.find(
        ({ slot, at }) => slot === slotOf(first) && at >= begunAt(first) && at <= begunAt(again),
      );
      return { stepKey, first, again, cause };
    });
  });
}

/** When the process began to ask: its request's id, a UUIDv7, begins with that. */
function begunAt({ requestId = '', at }: StepCall): number {
  const [, milliseconds] = /^req_([0-9a-f]{12})/.exec(requestId) ?? [];
  return milliseconds === undefined ? at : Number.parseInt(milliseconds, 16);
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
