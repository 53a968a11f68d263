/** Learns from outcomes how good models are: a Bayesian linear regression per model, and examples to compare with. */
import type { TaskType } from '../../common/index';
import { blendedQuality } from '../scorers/capability.scorer';
import { type CapabilityContent, type Example, MAX_DATASETS, type ModelContent } from './capability-content';
import { FEATURE_COUNT, featuresOf, featuresOfType, PRIOR_PRECISIONS } from './capability-features';
import { inPieces, sorted } from './in-pieces';
import { dot, inverse, lowerHalf, times } from './linear-algebra';
import type { OutcomeRow } from './outcome-row';

/** More would cost each request time and gain little. */
export const MAX_EXAMPLES = 4_000;
/** Assumed of a model of which nothing is known. */
const UNKNOWN_QUALITY = 0.5;
/** Variance of one outcome, and how many observations that assumption is worth. */
const PRIOR_NOISE = { variance: 0.15, observations: 20 };
const DIGITS = 1e6;
const EXAMPLE_DIGITS = 1e3;

/** The catalog's quality per task type; undefined for models that it does not know. */
export type PriorOf = (model: string) => Readonly<Record<TaskType, number>> | undefined;

/** An outcome in numbers; `difference` is its mean less the catalog's prior. */
interface Observation {
  readonly row: OutcomeRow;
  readonly features: Float64Array;
  readonly prior: number;
  readonly difference: number;
}

/** The same rows in any order give the same content. Takes its time: the event loop goes on meanwhile. */
export async function fitCapabilities(
  rows: Iterable<OutcomeRow>,
  priorOf: PriorOf,
): Promise<CapabilityContent> {
  return await inPieces(fit(rows, priorOf));
}

function* fit(rows: Iterable<OutcomeRow>, priorOf: PriorOf): Generator<void, CapabilityContent> {
  const models: Record<string, ModelContent> = {};
  const examples = new Map<string, ExampleSums>();
  for (const [model, rowsOfModel] of yield* byModel(rows)) {
    const observations = yield* observe(rowsOfModel, priorOf(model));
    const content = yield* fitModel(observations);
    models[model] = content;
    yield* addExamples(examples, model, differencesOf(observations, content));
  }
  return { format: 1, models, examples: yield* kept(examples) };
}

function* byModel(
  rows: Iterable<OutcomeRow>,
): Generator<void, readonly (readonly [string, readonly OutcomeRow[]])[]> {
  const groups = new Map<string, OutcomeRow[]>();
  for (const row of rows) {
    const group = groups.get(row.model);
    if (group) group.push(row);
    else groups.set(row.model, [row]);
    yield;
  }
  return [...groups].sort(([one], [other]) => (one < other ? -1 : 1));
}

function* observe(
  rows: readonly OutcomeRow[],
  scores: ReturnType<PriorOf>,
): Generator<void, readonly Observation[]> {
  const observations: Observation[] = [];
  for (const row of yield* inOrder(rows)) {
    observations.push(observed(row, scores));
    yield;
  }
  return observations;
}

function observed(row: OutcomeRow, scores: ReturnType<PriorOf>): Observation {
  const { profile, taskType, mean } = row;
  const types = profile?.types ?? [{ taskType, confidence: 1 }];
  const [first = { taskType, confidence: 1 }, ...secondary] = types;
  const prior = scores ? blendedQuality(scores, { ...first, secondary }) : UNKNOWN_QUALITY;
  const features = profile ? featuresOf(profile) : featuresOfType(taskType);
  return { row, features, prior, difference: mean - prior };
}

function* fitModel(observations: readonly Observation[]): Generator<void, ModelContent> {
  const precision = lowerHalf(FEATURE_COUNT);
  const moments = new Float64Array(FEATURE_COUNT);
  let count = 0;
  let squares = 0;
  for (const { row, features, prior, difference } of observations) {
    addOuterProduct(precision, features, row.count);
    for (let place = 0; place < FEATURE_COUNT; place += 1)
      moments[place] = (moments[place] as number) + (features[place] as number) * difference * row.count;
    count += row.count;
    squares += row.sumOfSquares - 2 * prior * row.mean * row.count + prior * prior * row.count;
    yield;
  }
  for (const [place, row] of precision.entries())
    row[place] = (row[place] ?? 0) + (PRIOR_PRECISIONS[place] ?? 1);
  const spread = inverse(precision);
  const weights = times(spread, moments);
  const unexplained = Math.max(0, squares - dot(weights, moments));
  const noise =
    (unexplained + PRIOR_NOISE.variance * PRIOR_NOISE.observations) / (count + PRIOR_NOISE.observations);
  return {
    observations: count,
    weights: Array.from(weights, rounded),
    covariance: spread.flatMap((row) => Array.from(row, (value) => rounded(value * noise))),
    noise: Math.max(1 / DIGITS, rounded(noise)),
  };
}

function addOuterProduct(matrix: Float64Array[], vector: Float64Array, weight: number): void {
  for (let row = 0; row < vector.length; row += 1) {
    const here = (vector[row] as number) * weight;
    if (here === 0) continue;
    const values = matrix[row] as Float64Array;
    for (let column = 0; column <= row; column += 1)
      values[column] = (values[column] as number) + here * (vector[column] as number);
  }
}

interface Difference {
  readonly row: OutcomeRow;
  readonly difference: number;
}

/** What the weights leave unexplained. */
function* differencesOf(
  observations: readonly Observation[],
  { weights }: ModelContent,
): Generator<Difference, void> {
  const vector = Float64Array.from(weights);
  for (const { row, features, difference } of observations)
    yield { row, difference: difference - dot(vector, features) };
}

interface ExampleSums {
  readonly sketch: readonly number[];
  readonly sums: Map<string, { count: number; sum: number }>;
  /** Several sets may have the same prompt: the one whose name comes first counts. */
  readonly dataset?: string;
}

/** One example per prompt, whatever the number of models that answered it. */
function* addExamples(
  examples: Map<string, ExampleSums>,
  model: string,
  differences: Iterable<Difference>,
): Generator<void, void> {
  for (const { row, difference } of differences) {
    yield;
    const sketch = row.profile?.sketch;
    if (!sketch || sketch.length === 0) continue;
    const key = sketch.join();
    const example: ExampleSums = examples.get(key) ?? { sketch, sums: new Map() };
    const { count, sum } = example.sums.get(model) ?? { count: 0, sum: 0 };
    example.sums.set(model, { count: count + row.count, sum: sum + difference * row.count });
    examples.set(key, { ...example, dataset: firstOf(example.dataset, row.dataset) });
  }
}

function firstOf(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}

/** Which ones stay must not depend on their order: those of the lowest hash do. */
function* kept(examples: ReadonlyMap<string, ExampleSums>): Generator<void, Example[]> {
  const hashed: { key: string; hash: number; example: ExampleSums }[] = [];
  for (const [key, example] of examples) {
    hashed.push({ key, hash: hashOf(key), example });
    yield;
  }
  const all = yield* sorted(hashed, (one, other) => one.hash - other.hash || (one.key < other.key ? -1 : 1));
  const chosen = all.slice(0, MAX_EXAMPLES).map(({ example }) => example);
  const numbers = numbersOf(chosen);
  const found: Example[] = [];
  for (const example of chosen) {
    found.push(meansOf(example, numbers));
    yield;
  }
  return found;
}

/** By name: the data sets with the most examples. */
function numbersOf(examples: readonly ExampleSums[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { dataset } of examples)
    if (dataset !== undefined) counts.set(dataset, (counts.get(dataset) ?? 0) + 1);
  const largest = [...counts].sort(([one, most], [other, more]) => more - most || (one < other ? -1 : 1));
  return new Map(largest.slice(0, MAX_DATASETS).map(([name], place) => [name, place]));
}

function meansOf(
  { sketch, sums, dataset: name }: ExampleSums,
  numbers: ReadonlyMap<string, number>,
): Example {
  const dataset = name === undefined ? undefined : numbers.get(name);
  const means = [...sums].map(([model, { count, sum }]) => [
    model,
    Math.round((sum / count) * EXAMPLE_DIGITS) / EXAMPLE_DIGITS,
  ]);
  const differences = Object.fromEntries(means) as Example['differences'];
  return { sketch: [...sketch], differences, ...(dataset !== undefined && { dataset }) };
}

/** Sums of floating point depend on their order. */
function* inOrder(rows: readonly OutcomeRow[]): Generator<void, readonly OutcomeRow[]> {
  const keyed: { row: OutcomeRow; key: string }[] = [];
  for (const row of rows) {
    const { taskType, count, mean, profile, sumOfSquares } = row;
    if (count > 0) keyed.push({ row, key: JSON.stringify([taskType, count, mean, profile, sumOfSquares]) });
    yield;
  }
  const all = yield* sorted(keyed, (one, other) => (one.key < other.key ? -1 : Number(one.key > other.key)));
  return all.map(({ row }) => row);
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function rounded(value: number): number {
  return Math.round(value * DIGITS) / DIGITS;
}
