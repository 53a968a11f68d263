/** Which of the data sets that outcomes came from a prompt is most alike to, if any, by the numbers of its sketch. */
import type { Example } from './capability-content';
import { DatasetCounts } from './dataset-counts';

/** Of the examples that likeness is measured on, without themselves, so many are less alike than a prompt has to be. */
const NOVEL_SHARE = 0.1;
/** They come in no order, so the first are as good as any; fewer than the least say nothing. */
const MEASURED = { least: 50, most: 400 };

type Labelled = Pick<Example, 'sketch' | 'dataset'>;

export interface DatasetReading {
  /** By data set; they sum to 1. */
  readonly probabilities: Float64Array;
  /** The prompt is less alike to each of them than nearly all examples are. */
  readonly isNovel: boolean;
}

/** Naive Bayes. Immutable. */
export class DatasetGuess {
  private constructor(
    /** Logarithms of how frequent each data set is. */
    private readonly frequencies: Float64Array,
    /** By number, then by data set: what having it says for the data set, as a logarithm. */
    private readonly evidence: Float32Array,
    private readonly leastLikeness: number,
  ) {}

  /** To be run with `inPieces`. Undefined when no example tells where it came from. */
  static *of(examples: readonly Labelled[]): Generator<void, DatasetGuess | undefined> {
    const sets = examples.reduce((most, { dataset = -1 }) => Math.max(most, dataset + 1), 0);
    if (sets === 0) return undefined;
    const counts = new DatasetCounts(sets);
    for (const example of examples) {
      counts.add(example);
      yield;
    }
    const frequencies = counts.frequencies();
    const least = yield* leastLikenessOf(examples, counts, frequencies);
    return new DatasetGuess(frequencies, yield* counts.evidence(), least);
  }

  read(sketch: readonly number[]): DatasetReading {
    const sets = this.frequencies.length;
    const logarithms = this.frequencies.slice();
    for (const number of sketch) {
      const start = number * sets;
      for (let set = 0; set < sets; set += 1)
        logarithms[set] = (logarithms[set] as number) + (this.evidence[start + set] as number);
    }
    const { shares, logarithm } = summed(logarithms);
    const isNovel = sketch.length > 0 && logarithm / sketch.length < this.leastLikeness;
    return { probabilities: shares, isNovel };
  }
}

/** Adding counts up and taking them away again is exact. */
function* leastLikenessOf(
  examples: readonly Labelled[],
  counts: DatasetCounts,
  frequencies: Float64Array,
): Generator<void, number> {
  const found: number[] = [];
  for (const example of examples.slice(0, MEASURED.most)) {
    yield;
    if (example.sketch.length === 0) continue;
    counts.add(example, -1);
    const logarithms = frequencies.map((one, set) => one + counts.evidenceOf(example.sketch, set));
    counts.add(example);
    found.push(summed(logarithms).logarithm / example.sketch.length);
  }
  if (found.length < MEASURED.least) return -Infinity;
  return found.sort((one, other) => one - other)[Math.floor(NOVEL_SHARE * found.length)] as number;
}

/** What each is of their sum, and its logarithm. */
function summed(logarithms: Float64Array): { readonly shares: Float64Array; readonly logarithm: number } {
  const highest = logarithms.reduce((most, one) => Math.max(most, one), -Infinity);
  const shares = logarithms.map((one) => Math.exp(one - highest));
  const sum = shares.reduce((total, one) => total + one, 0);
  return { shares: shares.map((one) => one / sum), logarithm: highest + Math.log(sum) };
}
