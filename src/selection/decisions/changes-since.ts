import type { FactorWeights } from '../../scoring/index';
import { allowedRecord, type DecisionRecord, weightsRecord } from './decision-record';
import type { DecisionVersions } from '../execution-plan';
import type { LostInput } from './past-conditions.service';
import type { RoutingInputs } from '../routing-inputs';

/** What a decision depends on beside its request, by the names that a replay gives it. */
export const CHANGEABLE = [
  'catalog',
  'prices',
  'weights',
  'guide',
  'patterns',
  'classifier',
  'capabilities',
  'performance',
  'providers',
  'allowedModels',
  'ownWeights',
  'quality',
  'answerWorth',
] as const;
export type Changeable = (typeof CHANGEABLE)[number];

export interface Change {
  readonly what: Changeable;
  /** A version, or the value itself; null: none. */
  readonly before: string | null;
  readonly now: string | null;
  /** Does the replay see what was then? Otherwise it sees what is now. */
  readonly isKept: boolean;
}

/** What holds now. */
export interface PresentState {
  readonly inputs: RoutingInputs;
  readonly ownWeights?: FactorWeights;
  readonly versions: DecisionVersions;
}

/** Files of which only the present content is there. */
const NOT_KEPT: ReadonlySet<Changeable> = new Set(['catalog', 'weights', 'guide']);

/** What of a decision's surroundings is different now. */
export function changesSince(
  record: DecisionRecord,
  present: PresentState,
  lost: readonly LostInput[],
): readonly Change[] {
  const pairs = { ...versions(record, present), ...conditions(record, present) };
  return CHANGEABLE.filter((what) => pairs[what][0] !== pairs[what][1]).map((what) => {
    const [before, now] = pairs[what];
    const isKept = !NOT_KEPT.has(what) && !lost.some((name) => name === what);
    return { what, before, now, isKept };
  });
}

type Pair = readonly [before: string | null, now: string | null];

function versions(record: DecisionRecord, now: PresentState): Readonly<Record<keyof DecisionVersions, Pair>> {
  const names = Object.keys(now.versions) as (keyof DecisionVersions)[];
  const pairs = names.map((name) => [name, [String(record.versions[name]), String(now.versions[name])]]);
  return Object.fromEntries(pairs) as Record<keyof DecisionVersions, Pair>;
}

function conditions(
  record: DecisionRecord,
  { inputs, ownWeights }: PresentState,
): Readonly<Record<Exclude<Changeable, keyof DecisionVersions>, Pair>> {
  const { allowedModels, target } = inputs;
  return {
    providers: [text(record.providers), text(inputs.providers)],
    allowedModels: [text(record.allowed), text(allowedModels && allowedRecord(allowedModels))],
    ownWeights: [text(record.weights), text(ownWeights && weightsRecord(ownWeights))],
    quality: [text(record.target?.quality), text(target?.quality)],
    answerWorth: [text(record.target?.answerWorthUsd), text(target?.answerWorthUsd)],
  };
}

function text(value: unknown): string | null {
  if (value === undefined) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
