import { z } from 'zod';
import { SKETCH_BUCKETS } from '../../analysis/index';
import { FEATURE_COUNT } from './capability-features';

/** More would cost each request time: examples of further data sets are told apart by their sketches alone. */
export const MAX_DATASETS = 128;

const modelContent = z.strictObject({
  /** Outcomes that it rests on. */
  observations: z.number().nonnegative(),
  /** What each feature of a task adds to the catalog's prior. */
  weights: z.array(z.number()).length(FEATURE_COUNT),
  /** How sure they are: the lower half of their covariance, row by row. */
  covariance: z.array(z.number()).length((FEATURE_COUNT * (FEATURE_COUNT + 1)) / 2),
  /** Variance of one outcome around its estimate. */
  noise: z.number().positive(),
});

export type ModelContent = z.infer<typeof modelContent>;

export interface Example {
  /** Numbers below `SKETCH_BUCKETS`. */
  readonly sketch: readonly number[];
  /** By model: by how much its outcome differed from what prior and weights say. */
  readonly differences: Readonly<Record<string, number>>;
  /** Below `MAX_DATASETS`; examples of one data set have the same number. Absent where nobody told. */
  readonly dataset?: number;
}

/**
 * What a version of the capability table is kept as. An estimate is the catalog's prior, plus the model's weights times the
 * features of the task (`capability-features.ts`), plus what the examples most alike to the prompt differed by.
 */
export interface CapabilityContent {
  readonly format: 1;
  readonly models: Readonly<Record<string, ModelContent>>;
  readonly examples: readonly Example[];
}

/** Models and examples are many: they are checked one by one. */
const outline = z.strictObject({
  format: z.literal(1),
  models: z.record(z.string(), z.unknown()),
  examples: z.array(z.unknown()),
});

/** To be run with `inPieces`. @throws Error that says what no fit has made. */
export function* checkedContent(content: unknown): Generator<void, CapabilityContent> {
  const { format, models, examples } = outline.parse(content);
  for (const [name, model] of Object.entries(models)) {
    const { error } = modelContent.safeParse(model);
    if (error) throw new Error(`models.${name}: ${z.prettifyError(error)}`);
    yield;
  }
  for (const [place, example] of examples.entries()) {
    const fault = faultOf(example);
    if (fault) throw new Error(`examples.${place}${fault}`);
    yield;
  }
  return { format, models: models as CapabilityContent['models'], examples: examples as Example[] };
}

/** Plain code: for all of these numbers zod takes a hundred times as long. */
function faultOf(example: unknown): string | undefined {
  if (!isRecord(example) || !hasKeysOfExample(example))
    return ' must have a sketch, differences and perhaps a dataset only';
  const { sketch, differences, dataset } = example;
  if (!Array.isArray(sketch) || !sketch.every(isBucket))
    return `.sketch must be whole numbers from 0 to ${SKETCH_BUCKETS - 1}`;
  if (!isRecord(differences) || !Object.values(differences).every(Number.isFinite))
    return '.differences must be numbers by model';
  if (dataset !== undefined && !isBelow(dataset, MAX_DATASETS))
    return `.dataset must be a whole number from 0 to ${MAX_DATASETS - 1}`;
  return undefined;
}

function hasKeysOfExample(example: Readonly<Record<string, unknown>>): boolean {
  const count = 'dataset' in example ? 3 : 2;
  return 'sketch' in example && 'differences' in example && Object.keys(example).length === count;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isBucket(value: unknown): boolean {
  return isBelow(value, SKETCH_BUCKETS);
}

function isBelow(value: unknown, end: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < end;
}
