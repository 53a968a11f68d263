import type { Embedding } from '../../execution/index';

/** The JSON text of OpenAI's list of embeddings. */
export function embeddingList({ vectors, modelServed, totals }: Embedding): string {
  const tokens = totals.usage.promptTokens ?? 0;
  return JSON.stringify({
    object: 'list',
    data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    model: modelServed,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}
