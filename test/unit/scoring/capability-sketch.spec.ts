import { promptSketch, SKETCH_BUCKETS } from '../../../src/analysis/index';
import { DatasetGuess } from '../../../src/scoring/capabilities/dataset-guess';
import { inPieces } from '../../../src/scoring/capabilities/in-pieces';
import { SketchIndex } from '../../../src/scoring/capabilities/sketch-index';
import { Random } from '../../support/proof/random';

const shared = (one: readonly number[], other: readonly number[]) =>
  one.filter((number) => other.includes(number)).length;

describe(promptSketch.name, () => {
  it('is a few dozen numbers, ascending, each once', () => {
    for (const text of [
      '',
      'hi',
      'a b c\n'.repeat(2_000),
      'x'.repeat(50_000),
      '请把这段话翻译成英文。'.repeat(300),
    ]) {
      const sketch = promptSketch(text);
      expect(sketch.length).toBeLessThanOrEqual(64);
      expect(sketch).toEqual([...new Set(sketch)].sort((one, other) => one - other));
      expect(
        sketch.every((number) => Number.isInteger(number) && number >= 0 && number < SKETCH_BUCKETS),
      ).toBe(true);
      expect(promptSketch(text)).toEqual(sketch);
    }
  });

  it('shares more with alike prompts than with others, in any script', () => {
    for (const [one, alike, other] of [
      ['write a function that sorts a list', 'write a function that turns a list round', 'who won in 1954?'],
      ['把这句话翻译成英文：天气很好', '把这句话翻译成法文：天气不好', '一加一等于多少'],
    ] as const)
      expect(shared(promptSketch(one), promptSketch(alike))).toBeGreaterThan(
        shared(promptSketch(one), promptSketch(other)),
      );
  });

  it('does not tell numbers apart', () => {
    expect(promptSketch('what is 12 times 9?')).toEqual(promptSketch('what is 31 times 7?'));
  });
});

describe(DatasetGuess.name, () => {
  const guessOf = (examples: Parameters<typeof DatasetGuess.of>[0]) => inPieces(DatasetGuess.of(examples));
  const EXAMPLES = [
    { sketch: [1, 2, 3], dataset: 0 },
    { sketch: [2, 3, 4], dataset: 0 },
    { sketch: [1, 3, 4], dataset: 0 },
    { sketch: [7, 8, 9], dataset: 1 },
    { sketch: [1, 2, 7, 8] },
  ];

  it('finds it likely where the numbers are frequent', async () => {
    const guess = await guessOf(EXAMPLES);
    const [first = 0, second = 0] = guess?.read([1, 2, 4]).probabilities ?? [];
    expect(first + second).toBeCloseTo(1, 10);
    expect(first).toBeGreaterThan(0.75);
    expect(guess?.read([7, 8, 9]).probabilities[1]).toBeGreaterThan(0.25);
  });

  it('goes by how large they are when the numbers say nothing', async () => {
    const guess = await guessOf(EXAMPLES);
    for (const sketch of [[], [4_000]]) {
      expect(guess?.read(sketch).probabilities[0]).toBeCloseTo(0.75, 1);
    }
  });

  describe('of whether a prompt is novel', () => {
    const random = new Random(3);
    /** Of forty numbers of the data set's own, and ten that all have. */
    const sketchOf = (dataset: number): number[] => {
      const own = Array.from({ length: 12 }, () => 100 * (dataset + 1) + Math.floor(40 * random.next()));
      const usual = Array.from({ length: 4 }, () => Math.floor(10 * random.next()));
      return [...new Set([...own, ...usual])];
    };
    const examplesOf = (count: number, isTold = true) =>
      Array.from({ length: count }, (_, index) => ({
        sketch: sketchOf(index % 3),
        ...(isTold && { dataset: index % 3 }),
      }));
    const shareOfNovel = (guess: DatasetGuess | undefined, dataset: number): number =>
      Array.from({ length: 200 }, () => guess?.read(sketchOf(dataset)).isNovel).filter(Boolean).length / 200;

    it('finds those novel that share with no data set what its prompts share', async () => {
      const guess = await guessOf(examplesOf(300));
      expect(shareOfNovel(guess, 7)).toBe(1);
      for (const known of [0, 1, 2]) expect(shareOfNovel(guess, known)).toBeLessThan(0.25);
    });

    it('takes a tenth of the examples for novel when each is looked at without itself', async () => {
      const examples = examplesOf(300);
      const guesses = await Promise.all(
        examples.slice(0, 100).map(async ({ sketch }, place) => {
          const guess = await guessOf(examples.filter((_, other) => other !== place));
          return guess?.read(sketch).isNovel;
        }),
      );
      const share = guesses.filter(Boolean).length / 100;
      expect(share).toBeGreaterThan(0.03);
      expect(share).toBeLessThan(0.2);
    });

    it('does not call novel what is like examples that nobody told the data set of', async () => {
      const untold = Array.from({ length: 150 }, () => ({ sketch: sketchOf(7) }));
      const guess = await guessOf([...examplesOf(150), ...untold]);
      expect(shareOfNovel(guess, 7)).toBeLessThan(0.35);
    });

    it('finds nothing novel among few examples, nor without numbers', async () => {
      expect((await guessOf(examplesOf(40)))?.read([2_000, 2_001]).isNovel).toBe(false);
      expect((await guessOf(examplesOf(300)))?.read([]).isNovel).toBe(false);
    });

    it('says the same every time', async () => {
      const examples = examplesOf(120);
      const [one, other] = [await guessOf(examples), await guessOf(examples)];
      for (const dataset of [0, 7]) {
        const sketch = sketchOf(dataset);
        expect(one?.read(sketch)).toEqual(other?.read(sketch));
      }
    });
  });

  it('is none where nobody told', async () => {
    expect(await guessOf([])).toBeUndefined();
    expect(await guessOf([{ sketch: [1] }])).toBeUndefined();
  });
});

describe(SketchIndex.name, () => {
  const indexOf = (sketches: readonly (readonly number[])[]) => inPieces(SketchIndex.of(sketches));
  const SKETCHES = [
    [1, 2, 3],
    [1, 2, 9],
    [7, 8],
    [4, 5, 6],
    [10, 11],
    [12, 13],
  ];

  it('finds the most alike first, and none that shares nothing', async () => {
    const { places, similarities } = (await indexOf(SKETCHES)).find([1, 2, 3]);
    expect(places).toEqual([0, 1]);
    expect(similarities[0]).toBeCloseTo(1, 10);
    expect(similarities[1]).toBeLessThan(1);
  });

  it('knows the first and the last number there can be', async () => {
    const last = SKETCH_BUCKETS - 1;
    const index = await indexOf([[0], [last], [1], [2], [3]]);
    expect(index.find([0]).places).toEqual([0]);
    expect(index.find([last]).places).toEqual([1]);
  });

  it('counts a number that a sketch repeats once', async () => {
    const index = await indexOf([[7, 7, 7, 8], [7, 9], [1], [2], [3], [4]]);
    expect(index.find([7]).places).toEqual([1, 0]);
  });

  it('adds what it is told to, also to those that share nothing', async () => {
    const bonus = { groups: Int16Array.of(0, 0, -1, -1, 1, -1), values: Float64Array.of(0, 2) };
    expect((await indexOf(SKETCHES)).find([1, 2, 3], bonus).places).toEqual([4, 0, 1]);
  });

  it('finds nothing without numbers, examples or anything known', async () => {
    const index = await indexOf(SKETCHES);
    expect(index.find([]).places).toEqual([]);
    expect(index.find([4_000]).places).toEqual([]);
    expect((await indexOf([])).find([1]).places).toEqual([]);
  });
});
