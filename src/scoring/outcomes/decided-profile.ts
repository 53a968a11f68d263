import { isJsonObject, isTaskType, type JsonObject, type JsonValue } from '../../common/index';
import type { OutcomeProfile } from '../capabilities/outcome-row';
import { SKETCH_BUCKETS } from '../../analysis/index';

/**
 * What the stored decision says of the task; undefined when it was written in another way than today's. Nothing of the
 * prompt stands there.
 */
export function decidedProfile(decision: JsonObject | undefined): OutcomeProfile | undefined {
  const { task, features } = decision ?? {};
  if (!isJsonObject(task) || !isJsonObject(features)) return undefined;
  const types = typesOf(task);
  const { complexity, language, promptTokens, code } = features;
  if (types.length === 0 || typeof complexity !== 'number' || typeof promptTokens !== 'number')
    return undefined;
  const sketch = sketchOf(task.sketch ?? features.sketch);
  return {
    types,
    complexity,
    language: typeof language === 'string' ? language : 'und',
    promptTokens,
    hasCode: code === true,
    ...(sketch && { sketch }),
  };
}

/** As routing saw them: the type that was decided on, then the others. */
function typesOf({ type, confidence, secondary }: JsonObject): OutcomeProfile['types'] {
  const others = isJsonObject(secondary) ? Object.entries(secondary) : [];
  return [[type, confidence] as const, ...others].flatMap(([taskType, share]) =>
    typeof taskType === 'string' && isTaskType(taskType) && typeof share === 'number'
      ? [{ taskType, confidence: share }]
      : [],
  );
}

function sketchOf(value: JsonValue | undefined): readonly number[] | undefined {
  return Array.isArray(value) && value.every(isBucket) ? value : undefined;
}

function isBucket(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < SKETCH_BUCKETS;
}
