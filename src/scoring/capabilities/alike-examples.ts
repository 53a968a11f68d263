/** The examples most alike to a prompt: by the words they share, and by the data set that it seems to come from. */
import type { Example } from './capability-content';
import { DatasetGuess } from './dataset-guess';
import { type Neighbours, SketchIndex } from './sketch-index';

/** What it adds to an example's likeness that the prompt comes from the same data set for sure. */
const SAME_DATASET = 0.15;

export interface Alike {
  /** None where the prompt is novel: what they came to says nothing of it. */
  readonly neighbours?: Neighbours;
  /** The prompt seems to come from none of the data sets that are known. */
  readonly isNovel: boolean;
}

export class AlikeExamples {
  private constructor(
    private readonly index: SketchIndex,
    /** By example; -1 where nobody told. */
    private readonly datasets: Int16Array,
    private readonly guess: DatasetGuess | undefined,
  ) {}

  /** To be run with `inPieces`. */
  static *of(examples: readonly Example[]): Generator<void, AlikeExamples> {
    const index = yield* SketchIndex.of(examples.map(({ sketch }) => sketch));
    const datasets = Int16Array.from(examples, ({ dataset = -1 }) => dataset);
    return new AlikeExamples(index, datasets, yield* DatasetGuess.of(examples));
  }

  find(sketch: readonly number[]): Alike {
    if (!this.guess) return { neighbours: this.index.find(sketch), isNovel: false };
    const { probabilities, isNovel } = this.guess.read(sketch);
    if (isNovel) return { isNovel };
    const values = probabilities.map((probability) => SAME_DATASET * probability);
    return { neighbours: this.index.find(sketch, { groups: this.datasets, values }), isNovel };
  }
}
