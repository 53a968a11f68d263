import type { Embedding } from '../../../../src/execution/embedding';
import type { EmbeddingState } from '../../../../src/execution/embedding-state';
import { Flight } from '../../../../src/execution/response-cache/flight';
import { ReusableEmbedding } from '../../../../src/execution/response-cache/reusable-embedding';

const PACKED = 'x'.repeat(300_000);

/** Work that answers with these vectors. */
function reusable(vectors: Embedding['vectors']): ReusableEmbedding {
  const state = {
    under: () => state,
    factsOf: () => ({ modelId: 'openai/e', usage: {}, warnings: [] }),
  };
  const answer = { meta: { model: 'openai/e' }, vectors, encoding: 'float', modelServed: 'e' };
  return new ReusableEmbedding(state as unknown as EmbeddingState, () =>
    Promise.resolve(answer as unknown as Embedding),
  );
}

describe(ReusableEmbedding.name, () => {
  it('keeps vectors as they came', async () => {
    const { result, answer } = await reusable([[0.5], 'AAAAPw==']).carryOut(new Flight());

    expect(JSON.parse(answer?.bytes.toString() ?? '')).toEqual({
      modelServed: 'e',
      vectors: result.vectors,
    });
  });

  it('does not write out what is too much to be kept', async () => {
    const written = jest.fn(() => PACKED);
    const vector = Object.assign([1], { toJSON: written });
    const { result, answer } = await reusable(Array<number[]>(100).fill(vector)).carryOut(new Flight());

    expect([result.vectors.length, answer]).toEqual([100, undefined]);
    expect(written).toHaveBeenCalledTimes(4);
  });
});
