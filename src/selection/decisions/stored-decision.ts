/** Reads again what decision-record.ts wrote. */
import type { TaskProfile } from '../../analysis/index';
import { fromApiId, isJsonObject, type JsonObject, type LatticeOptions } from '../../common/index';
import { type FactorWeights, WEIGHED_FACTORS } from '../../scoring/index';
import type { RoutedRequest } from '../current-conditions.service';
import type { ChoiceRecord, DecisionRecord } from './decision-record';
import type { ExperimentArm, QualityTarget } from '../execution-plan';
import { DecisionNotReplayableError } from '../selection.errors';
import { profileOf } from './task-record';

/** What a choice cannot be made without, as paths into the record; decisions before Lattice could replay lack some. */
const REQUIRED = [
  'asked.model',
  'task.type',
  'task.types',
  'needs',
  'features.promptTokens',
  'features.boundTokens',
  'providers',
  'candidates',
  'versions.prices',
  'versions.capabilities',
  'versions.performance',
] as const;

/** @throws DecisionNotReplayableError for what an earlier version stored, and for embeddings. */
export function replayable(record: JsonObject): DecisionRecord {
  if (isJsonObject(record.task) && record.task.type === 'EMBEDDING') {
    throw new DecisionNotReplayableError(
      'It chose an embedding model: only decisions about chat requests can be replayed',
    );
  }
  const missing = REQUIRED.filter((path) => valueAt(record, path) === undefined);
  if (missing.length > 0) {
    throw new DecisionNotReplayableError(
      `It was stored before decisions could be replayed: ${missing.join(', ')} is not in its record`,
      { details: { missing } },
    );
  }
  return record as DecisionRecord;
}

export function storedProfile({ task, needs, features, versions }: DecisionRecord): TaskProfile {
  return profileOf(task, needs, features, {
    patternsVersion: versions.patterns,
    classifierVersion: versions.classifier,
  });
}

export function storedRequest({ asked }: DecisionRecord): RoutedRequest {
  const { model, fallback, models, useDirect, quality, answerWorthUsd } = asked;
  return {
    model,
    options: { fallback, models, useDirect, quality, answerWorthUsd } satisfies Partial<LatticeOptions>,
  };
}

export function storedChoice(record: DecisionRecord): ChoiceRecord {
  const { strategy, target, candidates, alternatives, filtered } = record;
  return { strategy, target, candidates, alternatives, filtered };
}

export function storedTarget({ target }: DecisionRecord): QualityTarget | undefined {
  if (!target) return undefined;
  const { quality, answerWorthUsd, source } = target;
  return { quality, source, ...(answerWorthUsd !== undefined && { answerWorthUsd }) };
}

export function storedExperiment({ experiment }: DecisionRecord): ExperimentArm | undefined {
  return (
    experiment && {
      id: fromApiId('exp', experiment.id) ?? experiment.id,
      arm: experiment.arm,
      model: experiment.model,
    }
  );
}

export function storedWeights({ weights }: DecisionRecord): FactorWeights | undefined {
  if (!weights) return undefined;
  const entries = WEIGHED_FACTORS.map((factor, index) => [factor, weights[index] ?? 0] as const);
  return Object.fromEntries(entries) as FactorWeights;
}

function valueAt(record: JsonObject, path: string): unknown {
  let value: unknown = record;
  for (const name of path.split('.')) value = isJsonObject(value) ? value[name] : undefined;
  return value;
}
