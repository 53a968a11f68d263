import { sandboxVectors } from '../../../../src/providers/adapters/sandbox/embedding';
import { aModel } from '../../../support/factories';

const model = aModel({
  id: 'sandbox/embed',
  embedding: {
    dimensions: 64,
    minDimensions: 8,
    maxBatch: 10,
    takesTokens: true,
    hasInputTypes: true,
    cutsLongTexts: false,
    hasBase64: false,
    quality: 0.01,
  },
});

function vectorsOf(inputs: readonly (string | readonly number[])[], dimensions?: number) {
  const { vectors } = sandboxVectors({
    model,
    inputs,
    dimensions,
    encoding: 'float',
    extra: {},
    signal: new AbortController().signal,
    requestId: 'req_1',
  });
  return vectors as readonly (readonly number[])[];
}

const nearness = (left: readonly number[] = [], right: readonly number[] = []): number =>
  left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);

describe(sandboxVectors.name, () => {
  it.each([
    ['a sentence', 'The quick brown fox'],
    ['signs only', '!?'],
    ['one letter', 'x'],
    ['another script', 'быстрая лиса'],
    ['token ids', [1, 2, 3]],
  ])('makes a unit vector of %s', (_, input) => {
    const [vector = []] = vectorsOf([input]);
    expect(vector).toHaveLength(64);
    expect(nearness(vector, vector)).toBeCloseTo(1, 5);
  });

  it('makes the same vector of the same text, whatever stands beside it', () => {
    expect(vectorsOf(['one', 'two'])[1]).toEqual(vectorsOf(['two'])[0]);
  });

  it('puts texts that share words and their forms nearer than others', () => {
    const [cat, cats, rates] = vectorsOf(
      ['a cat sat on the mat', 'cats sitting on mats', 'interest rates rose again'],
      512,
    );
    expect(nearness(cat, cats)).toBeGreaterThan(nearness(cat, rates) + 0.1);
  });

  it('makes the length that is asked for', () => {
    expect(vectorsOf(['a'], 8)[0]).toHaveLength(8);
    expect(vectorsOf(['a'], 1000)[0]).toHaveLength(1000);
  });
});
