/** Which of the data sets that outcomes came from a prompt is most alike to, by the numbers of its sketch. */
import { SKETCH_BUCKETS } from '../../analysis/index';
import type { Example } from './capability-content';

/** Of the smoothing towards what all examples have, in numbers of sketches. */
const PRIOR_NUMBERS = 240;
/** Numbers of one sketch go together, so each tells less than it would alone. */
const WEIGHT_OF_A_NUMBER = 0.5;

type Labelled = Pick<Example, 'sketch' | 'dataset'>;

/** Naive Bayes. Immutable. */
export class DatasetGuess {
  private constructor(
    /** Logarithms of how frequent each data set is. */
    private readonly frequencies: Float64Array,
    /** By number, then by data set: what having it says for the data set, as a logarithm. */
    private readonly evidence: Float32Array,
  ) {}

  /** To be run with `inPieces`. Undefined when no example tells where it came from. */
  static *of(examples: readonly Labelled[]): Generator<void, DatasetGuess | undefined> {
    const sets = examples.reduce((most, { dataset = -1 }) => Math.max(most, dataset + 1), 0);
    if (sets === 0) return undefined;
    const counts = new Float32Array(SKETCH_BUCKETS * sets);
    const examplesOf = new Float64Array(sets);
    for (const { sketch, dataset } of examples) {
      yield;
      if (dataset === undefined) continue;
      examplesOf[dataset] = (examplesOf[dataset] as number) + 1;
      for (const number of sketch)
        counts[number * sets + dataset] = (counts[number * sets + dataset] as number) + 1;
    }
    const labelled = examplesOf.reduce((sum, one) => sum + one, 0);
    const frequencies = examplesOf.map((count) => Math.log(count / labelled));
    return new DatasetGuess(frequencies, yield* evidenceOf(counts, sets));
  }

  /** By data set; they sum to 1. */
  probabilities(sketch: readonly number[]): Float64Array {
    const sets = this.frequencies.length;
    const logarithms = this.frequencies.slice();
    for (const number of sketch) {
      const start = number * sets;
      for (let set = 0; set < sets; set += 1)
        logarithms[set] = (logarithms[set] as number) + (this.evidence[start + set] as number);
    }
    const highest = logarithms.reduce((most, one) => Math.max(most, one), -Infinity);
    const shares = logarithms.map((one) => Math.exp(one - highest));
    const sum = shares.reduce((total, one) => total + one, 0);
    return shares.map((one) => one / sum);
  }
}

/** How much more of a number a data set has than all of them together. @param counts by number, then by data set */
function* evidenceOf(counts: Float32Array, sets: number): Generator<void, Float32Array> {
  const evidence = new Float32Array(counts.length);
  const [totals, all] = totalsOf(counts, sets);
  for (let number = 0; number < SKETCH_BUCKETS; number += 1) {
    const row = counts.subarray(number * sets, (number + 1) * sets);
    const usual = (row.reduce((sum, one) => sum + one, 0) + 0.5) / (all + SKETCH_BUCKETS / 2);
    for (let set = 0; set < sets; set += 1) {
      const own = (row[set] as number) + PRIOR_NUMBERS * usual;
      const share = own / ((totals[set] as number) + PRIOR_NUMBERS);
      evidence[number * sets + set] = WEIGHT_OF_A_NUMBER * Math.log(share / usual);
    }
    yield;
  }
  return evidence;
}

function totalsOf(counts: Float32Array, sets: number): readonly [Float64Array, number] {
  const totals = new Float64Array(sets);
  for (let at = 0; at < counts.length; at += 1)
    totals[at % sets] = (totals[at % sets] as number) + (counts[at] as number);
  return [totals, totals.reduce((sum, one) => sum + one, 0)];
}
