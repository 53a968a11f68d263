import { ApiExtraModels, ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { LatticeOptionsDto } from '../../dto/chat-completion.request.dto';

const BLOCKS = { type: 'array', items: { type: 'object', additionalProperties: true } } as const;
const TEXT_OR_BLOCKS = [{ type: 'string' }, BLOCKS];
const OBJECT = { type: 'object', additionalProperties: true } as const;

/** Documentation of the body; the checks stand in the files that convert it. */
export class MessageParamDto {
  @ApiProperty({ enum: ['user', 'assistant', 'system'] })
  role: string;

  @ApiProperty({
    description: 'Text, or a list of blocks: text, image, document, tool_use, tool_result, thinking',
    oneOf: TEXT_OR_BLOCKS,
  })
  content: unknown;
}

@ApiExtraModels(MessageParamDto)
export class MessageRequestDto {
  @ApiProperty({
    example: 'auto',
    description: '`auto`, `auto:cheap|best|fast`, or a model id from GET /v1/models',
  })
  model: string;

  @ApiProperty({ minimum: 1, example: 1024, description: 'The most tokens the answer may have' })
  max_tokens: number;

  @ApiProperty({ type: [MessageParamDto] })
  messages: MessageParamDto[];

  @ApiPropertyOptional({ oneOf: TEXT_OR_BLOCKS })
  system?: unknown;

  @ApiPropertyOptional({ example: false })
  stream?: boolean;

  @ApiPropertyOptional({ minimum: 0, maximum: 1 })
  temperature?: number;

  @ApiPropertyOptional({ minimum: 0, maximum: 1 })
  top_p?: number;

  @ApiPropertyOptional({ minimum: 0, description: 'Left out, with a warning, where a model may not take it' })
  top_k?: number;

  @ApiPropertyOptional({ type: [String] })
  stop_sequences?: string[];

  @ApiPropertyOptional({ ...BLOCKS, description: 'Your own tools, each with `name` and `input_schema`' })
  tools?: unknown[];

  @ApiPropertyOptional({ ...OBJECT, example: { type: 'auto' } })
  tool_choice?: object;

  @ApiPropertyOptional({ ...OBJECT, example: { type: 'disabled' } })
  thinking?: object;

  @ApiPropertyOptional({ ...OBJECT, description: '`effort`, and a JSON schema as `format`' })
  output_config?: object;

  @ApiPropertyOptional({ type: 'object', properties: { user_id: { type: 'string' } } })
  metadata?: { user_id?: string };

  @ApiPropertyOptional({ enum: ['auto', 'standard_only'] })
  service_tier?: string;

  @ApiPropertyOptional({ type: LatticeOptionsDto })
  lattice?: LatticeOptionsDto;
}

/** Bodies that work as they stand, also on the sandbox. */
export const MESSAGE_EXAMPLES = {
  routed: {
    summary: 'Let Lattice choose the model',
    value: {
      model: 'auto',
      max_tokens: 300,
      system: 'You are a poet.',
      messages: [{ role: 'user', content: 'Write a haiku about the sea.' }],
    },
  },
  stream: {
    summary: 'Streamed answer',
    value: {
      model: 'auto:fast',
      max_tokens: 300,
      stream: true,
      messages: [{ role: 'user', content: 'Explain DNS in two sentences.' }],
    },
  },
  tool: {
    summary: 'A tool of your own',
    value: {
      model: 'auto',
      max_tokens: 300,
      tools: [
        {
          name: 'get_weather',
          description: 'The weather in a city',
          input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
        },
      ],
      messages: [{ role: 'user', content: 'Use the get_weather tool: what is the weather in Oslo?' }],
    },
  },
  json: {
    summary: 'JSON by schema',
    value: {
      model: 'auto',
      max_tokens: 300,
      messages: [{ role: 'user', content: 'Extract the city and the year: "Lattice met in Oslo in 2025".' }],
      output_config: {
        format: {
          type: 'json_schema',
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
