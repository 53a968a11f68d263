import { ApiExtraModels, ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { CACHING_OPTIONS } from '../../common/index';

/** Documentation of the chat body; the checks stand in chat-body.ts. */
export class LatticeOptionsDto {
  @ApiPropertyOptional({
    type: [String],
    description: 'Server-side tools to enable',
    example: ['current_time'],
  })
  tools?: string[];

  @ApiPropertyOptional({ example: 'CODE_GENERATION' })
  taskType?: string;

  @ApiPropertyOptional({ enum: ['any', 'none', 'same-model'] })
  fallback?: string;

  @ApiPropertyOptional({ type: [String], description: 'Models that may be tried after the asked one' })
  models?: string[];

  @ApiPropertyOptional({ type: Boolean, description: 'As `x-lattice-use-direct`', example: true })
  useDirect?: boolean;

  @ApiPropertyOptional({ enum: CACHING_OPTIONS, description: 'As `x-lattice-cache`' })
  cache?: string;

  @ApiPropertyOptional({
    type: Number,
    minimum: 0,
    maximum: 1,
    description: 'As `x-lattice-quality`',
    example: 0.95,
  })
  quality?: number;

  @ApiPropertyOptional({
    type: Number,
    minimum: 0,
    description: 'As `x-lattice-answer-worth`',
    example: 0.02,
  })
  answerWorthUsd?: number;
}

export class ChatMessageDto {
  @ApiProperty({ enum: ['system', 'developer', 'user', 'assistant', 'tool'] })
  role: string;

  @ApiProperty({
    description: 'Text, or a list of content parts',
    oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'object', additionalProperties: true } }],
  })
  content: unknown;
}

@ApiExtraModels(ChatMessageDto)
export class ChatCompletionRequestDto {
  @ApiProperty({
    example: 'auto',
    description: '`auto`, `auto:cheap|best|fast`, or a model id from GET /v1/models',
  })
  model: string;

  @ApiProperty({ type: [ChatMessageDto] })
  messages: ChatMessageDto[];

  @ApiPropertyOptional({ example: false })
  stream?: boolean;

  @ApiPropertyOptional({ type: 'object', properties: { include_usage: { type: 'boolean' } } })
  stream_options?: { include_usage?: boolean };

  @ApiPropertyOptional({ minimum: 1 })
  max_tokens?: number;

  @ApiPropertyOptional({ minimum: 1 })
  max_completion_tokens?: number;

  @ApiPropertyOptional({ minimum: 0, maximum: 2 })
  temperature?: number;

  @ApiPropertyOptional({ minimum: 0, maximum: 1 })
  top_p?: number;

  @ApiPropertyOptional({ minimum: 1, maximum: 128 })
  n?: number;

  @ApiPropertyOptional()
  seed?: number;

  @ApiPropertyOptional({ oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] })
  stop?: unknown;

  @ApiPropertyOptional({ type: 'array', items: { type: 'object', additionalProperties: true } })
  tools?: unknown[];

  @ApiPropertyOptional({
    oneOf: [
      { type: 'string', enum: ['none', 'auto', 'required'] },
      { type: 'object', additionalProperties: true },
    ],
  })
  tool_choice?: unknown;

  @ApiPropertyOptional({ type: 'object', additionalProperties: true, example: { type: 'text' } })
  response_format?: object;

  @ApiPropertyOptional({ type: LatticeOptionsDto })
  lattice?: LatticeOptionsDto;
}

/** Bodies that work as they stand, also on the sandbox. */
export const CHAT_EXAMPLES = {
  routed: {
    summary: 'Let Lattice choose the model',
    value: { model: 'auto', messages: [{ role: 'user', content: 'Write a haiku about the sea.' }] },
  },
  stream: {
    summary: 'Streamed answer',
    value: {
      model: 'auto:fast',
      stream: true,
      messages: [{ role: 'user', content: 'Explain DNS in two sentences.' }],
    },
  },
  target: {
    summary: 'The cheapest model that is expected to be nearly as good as the best',
    value: {
      model: 'auto',
      messages: [{ role: 'user', content: 'Is "I love it" positive or negative? One word.' }],
      lattice: { quality: 0.95 },
    },
  },
  serverTool: {
    summary: 'A server-side tool',
    value: {
      model: 'auto',
      messages: [{ role: 'user', content: 'Use the current_time tool and tell me the time in Tokyo.' }],
      lattice: { tools: ['current_time'] },
    },
  },
  json: {
    summary: 'JSON by schema',
    value: {
      model: 'auto',
      messages: [{ role: 'user', content: 'Extract the city and the year: "Lattice met in Oslo in 2025".' }],
      response_format: {
        type: 'json_schema',
        json_schema: {
          name: 'meeting',
          strict: true,
          schema: {
            type: 'object',
            properties: { city: { type: 'string' }, year: { type: 'integer' } },
            required: ['city', 'year'],
            additionalProperties: false,
          },
        },
      },
    },
  },
};
