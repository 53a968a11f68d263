import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { LatticeOptionsDto } from '../../dto/chat-completion.request.dto';

const OBJECT = { type: 'object', additionalProperties: true } as const;
const ITEMS = { type: 'array', items: OBJECT } as const;

/** Documentation of the body; the checks stand in the files that convert it. */
export class ResponseRequestDto {
  @ApiProperty({
    example: 'auto',
    description: '`auto`, `auto:cheap|best|fast`, or a model id from GET /v1/models',
  })
  model: string;

  @ApiProperty({
    description: 'Text, or a list of items: message, function_call, function_call_output, reasoning',
    oneOf: [{ type: 'string' }, ITEMS],
  })
  input: unknown;

  @ApiPropertyOptional({ example: 'Be brief.' })
  instructions?: string;

  @ApiPropertyOptional({ description: 'A response to go on from, with all before it' })
  previous_response_id?: string;

  @ApiPropertyOptional({ default: true })
  store?: boolean;

  @ApiPropertyOptional({ example: false })
  stream?: boolean;

  @ApiPropertyOptional({ ...OBJECT, example: { include_obfuscation: false } })
  stream_options?: object;

  @ApiPropertyOptional({ minimum: 1, description: 'The most tokens the answer may have, reasoning included' })
  max_output_tokens?: number;

  @ApiPropertyOptional({ minimum: 0, maximum: 2 })
  temperature?: number;

  @ApiPropertyOptional({ minimum: 0, maximum: 1 })
  top_p?: number;

  @ApiPropertyOptional({ ...ITEMS, description: 'Your own functions; OpenAI’s built-in tools are refused' })
  tools?: unknown[];

  @ApiPropertyOptional({ oneOf: [{ type: 'string', enum: ['none', 'auto', 'required'] }, OBJECT] })
  tool_choice?: unknown;

  @ApiPropertyOptional()
  parallel_tool_calls?: boolean;

  @ApiPropertyOptional({ ...OBJECT, example: { format: { type: 'text' } } })
  text?: object;

  @ApiPropertyOptional({ ...OBJECT, description: '`effort`; with `summary` thoughts are shown' })
  reasoning?: object;

  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'string' } })
  metadata?: Record<string, string>;

  @ApiPropertyOptional()
  user?: string;

  @ApiPropertyOptional()
  safety_identifier?: string;

  @ApiPropertyOptional()
  prompt_cache_key?: string;

  @ApiPropertyOptional()
  prompt_cache_retention?: string;

  @ApiPropertyOptional({ enum: ['auto', 'default', 'flex', 'priority'] })
  service_tier?: string;

  @ApiPropertyOptional({ enum: ['disabled', 'auto'], description: '`auto` is left out, with a warning' })
  truncation?: string;

  @ApiPropertyOptional({ type: LatticeOptionsDto })
  lattice?: LatticeOptionsDto;
}

/** Bodies that work as they stand, also on the sandbox. */
export const RESPONSE_EXAMPLES = {
  routed: {
    summary: 'Let Lattice choose the model',
    value: { model: 'auto', instructions: 'You are a poet.', input: 'Write a haiku about the sea.' },
  },
  stream: {
    summary: 'Streamed answer',
    value: { model: 'auto:fast', stream: true, input: 'Explain DNS in two sentences.' },
  },
  tool: {
    summary: 'A function of your own',
    value: {
      model: 'auto',
      tools: [
        {
          type: 'function',
          name: 'get_weather',
          description: 'The weather in a city',
          strict: true,
          parameters: {
            type: 'object',
            properties: { city: { type: 'string' } },
            required: ['city'],
            additionalProperties: false,
          },
        },
      ],
      input: 'Use the get_weather tool: what is the weather in Oslo?',
    },
  },
  json: {
    summary: 'JSON by schema',
    value: {
      model: 'auto',
      input: 'Extract the city and the year: "Lattice met in Oslo in 2025".',
      text: {
        format: {
          type: 'json_schema',
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
