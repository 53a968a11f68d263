/** What a capability estimate may know of a task, as numbers: fitting and estimating must read a task alike. */
import { TASK_TYPES, type TaskType } from '../../common/index';
import type { OutcomeProfile } from './outcome-row';

/** Values of a task that moves nothing: so it is read when only its type is known. */
const USUAL = { complexity: 0.3, promptTokens: 100 };
/** Beyond a hundredth and a hundred times the usual length nothing changes any more. */
const MAX_LENGTH = 2;

/** Always 1; its weight is the model's general level. */
const LEVEL = 0;
const FIRST_TYPE = 1;
const FIRST_SIGN = FIRST_TYPE + TASK_TYPES.length;
const SIGNS = 5;
export const FEATURE_COUNT = FIRST_SIGN + SIGNS;

/** In observations: how much it takes to move a weight half of the way. */
const PRIOR_OBSERVATIONS = { level: 5, type: 30, sign: 300 };

/** Of each feature; the level gives way before the types do, so that it also moves the types that nobody observed. */
export const PRIOR_PRECISIONS: readonly number[] = Array.from({ length: FEATURE_COUNT }, (_, place) => {
  if (place === LEVEL) return PRIOR_OBSERVATIONS.level;
  return place < FIRST_SIGN ? PRIOR_OBSERVATIONS.type : PRIOR_OBSERVATIONS.sign;
});

const PLACE_OF_TYPE = new Map(TASK_TYPES.map((type, index) => [type, FIRST_TYPE + index]));

type Types = OutcomeProfile['types'];

/** A task whose type is certain and of which nothing else is known. */
export function featuresOfType(taskType: TaskType): Float64Array {
  return withTypes([{ taskType, confidence: 1 }]);
}

export function featuresOf(profile: OutcomeProfile): Float64Array {
  const features = withTypes(profile.types);
  const length = Math.log10(Math.max(1, profile.promptTokens) / USUAL.promptTokens);
  const bounded = Math.max(-MAX_LENGTH, Math.min(MAX_LENGTH, length));
  const { hasCode, language } = profile;
  features.set(
    [
      2 * (profile.complexity - USUAL.complexity),
      bounded,
      (bounded * bounded) / 2,
      hasCode ? 1 : 0,
      language === 'en' || language === 'und' ? 0 : 1,
    ],
    FIRST_SIGN,
  );
  return features;
}

/** What no type claims counts as GENERAL, as in the catalog's prior. */
function withTypes(types: Types): Float64Array {
  const features = new Float64Array(FEATURE_COUNT);
  features[LEVEL] = 1;
  const claimed = types.reduce((sum, { confidence }) => sum + confidence, 0);
  const scale = claimed > 1 ? 1 / claimed : 1;
  for (const { taskType, confidence } of types) add(features, taskType, confidence * scale);
  add(features, 'GENERAL', Math.max(0, 1 - claimed));
  return features;
}

function add(features: Float64Array, taskType: TaskType, share: number): void {
  const place = PLACE_OF_TYPE.get(taskType) ?? LEVEL;
  features[place] = (features[place] ?? 0) + share;
}
