import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { type Embedding, encodeVector } from '../../execution/index';

/** So much text is made in one go, before others have their turn: about a millisecond's work. */
const SLICE_CHARS = 64 * 1024;

/**
 * The JSON text of OpenAI's list of embeddings. Several vectors are a stream, made no faster than the client takes it.
 * @param isRecorded the answer is kept to be given again: then it comes whole
 */
export async function embeddingList(embedding: Embedding, isRecorded: boolean): Promise<Buffer | Readable> {
  const slices = slicesOf(embedding);
  if (!isRecorded && embedding.vectors.length > 1) return Readable.from(slices, { objectMode: false });
  const all: Buffer[] = [];
  for await (const slice of slices) all.push(slice);
  return Buffer.concat(all);
}

async function* slicesOf(embedding: Embedding): AsyncGenerator<Buffer, void> {
  let slice = '';
  for (const piece of piecesOf(embedding)) {
    slice += piece;
    if (slice.length < SLICE_CHARS) continue;
    yield Buffer.from(slice);
    slice = '';
    await setImmediate();
  }
  yield Buffer.from(slice);
}

/** A vector at a time, so that its numbers and their text are not in memory any longer than they have to be. */
function* piecesOf({ vectors, encoding, modelServed, totals }: Embedding): Generator<string, void> {
  const tokens = totals.usage.promptTokens ?? 0;
  yield '{"object":"list","data":[';
  for (const [index, vector] of vectors.entries()) {
    const item = { object: 'embedding', index, embedding: encodeVector(vector, encoding) };
    yield index === 0 ? JSON.stringify(item) : `,${JSON.stringify(item)}`;
  }
  const tail = { model: modelServed, usage: { prompt_tokens: tokens, total_tokens: tokens } };
  yield `],${JSON.stringify(tail).slice(1)}`;
}
