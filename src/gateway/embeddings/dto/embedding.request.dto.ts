import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

const TOKENS = { type: 'array' as const, items: { type: 'integer' as const } };

/** Documentation of the embeddings body; the checks stand in embeddings/request.ts. */
export class EmbeddingRequestDto {
  @ApiProperty({ example: 'auto', description: 'An embedding model of GET /v1/models, or `auto`' })
  model: string;

  @ApiProperty({
    description:
      'One text or at most 2048, or lists of token ids for the models that take them; none may be empty',
    oneOf: [
      { type: 'string' },
      { type: 'array', items: { type: 'string' } },
      TOKENS,
      { type: 'array', items: TOKENS },
    ],
  })
  input: unknown;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: 'Length of the vectors, for models that let it be chosen',
  })
  dimensions?: number;

  @ApiPropertyOptional({
    enum: ['float', 'base64'],
    default: 'float',
    description: '`base64` holds 32-bit floats in little-endian order',
  })
  encoding_format?: string;

  @ApiPropertyOptional({
    enum: ['query', 'document'],
    description: 'What the texts are for, for models that tell the two apart',
  })
  input_type?: string;

  @ApiPropertyOptional({ description: 'Your name for your user; goes to providers that take it' })
  user?: string;
}

export const EMBEDDING_EXAMPLES = {
  text: {
    summary: 'One text',
    value: { model: 'auto', input: 'The quick brown fox jumps over the lazy dog' },
  },
  batch: {
    summary: 'Several texts, short vectors',
    value: {
      model: 'sandbox/embed',
      input: ['A cat sat on the mat', 'The cats sit on a mat', 'Interest rates rose again'],
      dimensions: 16,
    },
  },
  base64: {
    summary: 'A query, as base64',
    value: {
      model: 'sandbox/embed',
      input: 'Where did the cat sit?',
      input_type: 'query',
      encoding_format: 'base64',
    },
  },
};
