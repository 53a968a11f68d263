/** The examples most alike to a prompt: by the words they share, and by the data set that it seems to come from. */
import type { Example } from './capability-content';
import { DatasetGuess } from './dataset-guess';
import { type Neighbours, SketchIndex } from './sketch-index';

/** What it adds to an example's likeness that the prompt comes from the same data set for sure. */
const SAME_DATASET = 0.15;

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

  find(sketch: readonly number[]): Neighbours {
    if (!this.guess) return this.index.find(sketch);
    const values = this.guess.probabilities(sketch).map((probability) => SAME_DATASET * probability);
    return this.index.find(sketch, { groups: this.datasets, values });
  }
}
