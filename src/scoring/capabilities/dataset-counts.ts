/** How often each number is in the sketches of each data set, and what having it therefore says. */
import { SKETCH_BUCKETS } from '../../analysis/index';
import type { Example } from './capability-content';

/** Of the smoothing towards what all examples have, in numbers of sketches. */
const PRIOR_NUMBERS = 240;
/** Numbers of one sketch go together, so each tells less than it would alone. */
const WEIGHT_OF_A_NUMBER = 0.5;

export class DatasetCounts {
  /** By number, then by data set. */
  private readonly counts: Float32Array;
  private readonly byNumber = new Float64Array(SKETCH_BUCKETS);
  private readonly bySet: Float64Array;
  private readonly examples: Float64Array;
  private all = 0;

  constructor(private readonly sets: number) {
    this.counts = new Float32Array(SKETCH_BUCKETS * sets);
    this.bySet = new Float64Array(sets);
    this.examples = new Float64Array(sets);
  }

  /** Nothing where nobody told the data set. @param times -1 takes it away again */
  add({ sketch, dataset }: Pick<Example, 'sketch' | 'dataset'>, times = 1): void {
    if (dataset === undefined) return;
    this.examples[dataset] = (this.examples[dataset] as number) + times;
    this.bySet[dataset] = (this.bySet[dataset] as number) + times * sketch.length;
    this.all += times * sketch.length;
    for (const number of sketch) {
      const place = number * this.sets + dataset;
      this.counts[place] = (this.counts[place] as number) + times;
      this.byNumber[number] = (this.byNumber[number] as number) + times;
    }
  }

  /** Logarithms of each data set's share of the examples. */
  frequencies(): Float64Array {
    const labelled = this.examples.reduce((sum, one) => sum + one, 0);
    return this.examples.map((count) => Math.log(count / labelled));
  }

  /** What the numbers of a sketch say for a data set, as a logarithm. */
  evidenceOf(sketch: readonly number[], set: number): number {
    return sketch.reduce((sum, number) => sum + this.evidenceOfNumber(number, set), 0);
  }

  /** To be run with `inPieces`. By number, then by data set. */
  *evidence(): Generator<void, Float32Array> {
    const evidence = new Float32Array(this.counts.length);
    for (let number = 0; number < SKETCH_BUCKETS; number += 1) {
      for (let set = 0; set < this.sets; set += 1)
        evidence[number * this.sets + set] = this.evidenceOfNumber(number, set);
      yield;
    }
    return evidence;
  }

  /** How much more of a number a data set has than all of them together. */
  private evidenceOfNumber(number: number, set: number): number {
    const usual = ((this.byNumber[number] as number) + 0.5) / (this.all + SKETCH_BUCKETS / 2);
    const own = (this.counts[number * this.sets + set] as number) + PRIOR_NUMBERS * usual;
    const share = own / ((this.bySet[set] as number) + PRIOR_NUMBERS);
    return WEIGHT_OF_A_NUMBER * Math.log(share / usual);
  }
}
