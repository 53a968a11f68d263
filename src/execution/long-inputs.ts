import type { CatalogModel } from '../catalog/index';
import type { EmbeddingInput } from '../common/index';
import { inputTokens } from './embedding-batches';

/** What a caller has to know where a provider cuts texts without a word. */
export function longInputs(
  inputs: readonly EmbeddingInput[],
  { id, embedding, contextWindowTokens }: CatalogModel,
): readonly string[] {
  if (!embedding?.cutsLongTexts) return [];
  const index = inputs.findIndex((input) => inputTokens(input).estimated > contextWindowTokens);
  if (index < 0) return [];
  return [
    `input[${index}] may be longer than the ${contextWindowTokens} tokens that ${id} reads; it cuts the rest`,
  ];
}
