import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Embedding } from '../../../../src/execution/index';
import { embeddingList } from '../../../../src/gateway/embeddings/response';

const packed = (numbers: readonly number[]): string =>
  Buffer.from(new Float32Array(numbers).buffer).toString('base64');

function anEmbedding(vectors: Embedding['vectors'], encoding: Embedding['encoding'] = 'float'): Embedding {
  return {
    meta: { requestId: 'r' } as Embedding['meta'],
    totals: { costPicoUsd: 0n, attempts: 1, usage: { promptTokens: 7, completionTokens: 0 } },
    vectors,
    encoding,
    modelServed: 'a "model"',
  };
}

const listOf = (embeddings: readonly unknown[]) => ({
  object: 'list',
  data: embeddings.map((embedding, index) => ({ object: 'embedding', index, embedding })),
  model: 'a "model"',
  usage: { prompt_tokens: 7, total_tokens: 7 },
});

async function parsed(body: Buffer | Readable): Promise<unknown> {
  return JSON.parse(body instanceof Readable ? await text(body) : body.toString());
}

describe(embeddingList.name, () => {
  const numbers = [0.5, -0.25];

  it.each(['float', 'base64'] as const)('gives every vector as %s, however it came', async (encoding) => {
    const vectors = [numbers, packed(numbers), numbers];
    const wanted = encoding === 'float' ? numbers : packed(numbers);

    for (const isRecorded of [false, true]) {
      const body = await embeddingList(anEmbedding(vectors, encoding), isRecorded);
      expect(await parsed(body)).toEqual(listOf([wanted, wanted, wanted]));
    }
  });

  it('comes whole when it is one vector or is recorded, and else as it is taken', async () => {
    expect(await embeddingList(anEmbedding([numbers]), false)).toBeInstanceOf(Buffer);
    expect(await embeddingList(anEmbedding([numbers, numbers]), true)).toBeInstanceOf(Buffer);
    expect(await embeddingList(anEmbedding([numbers, numbers]), false)).toBeInstanceOf(Readable);
  });

  it.each([false, true])(
    'lets others have their turn while it is written (recorded: %s)',
    async (isRecorded) => {
      const vector = packed(Array.from({ length: 3072 }, (_, index) => 1 / (index + 3)));
      const vectors = Array<string>(40).fill(vector);
      let turns = 0;
      let waiting = setImmediate(function take() {
        turns += 1;
        waiting = setImmediate(take);
      });
      const body = await embeddingList(anEmbedding(vectors), isRecorded);
      const read = await parsed(body);
      clearImmediate(waiting);

      expect(read).toMatchObject({ data: { length: 40 } });
      expect(turns).toBeGreaterThanOrEqual(vectors.length / 2);
    },
  );
});
