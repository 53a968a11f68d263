import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

const OBJECT = { type: 'object', additionalProperties: true } as const;

export class ResponseUsageDto {
  @ApiProperty({ example: 12 })
  input_tokens: number;

  @ApiProperty({ ...OBJECT, example: { cached_tokens: 0, cache_write_tokens: 0 } })
  input_tokens_details: object;

  @ApiProperty({ example: 34 })
  output_tokens: number;

  @ApiProperty({ ...OBJECT, example: { reasoning_tokens: 0 } })
  output_tokens_details: object;

  @ApiProperty({ example: 46 })
  total_tokens: number;
}

export class ResponseDto {
  @ApiProperty({ example: 'resp_0192f0c1a2b37c4d8e5f60718293a4b5' })
  id: string;

  @ApiProperty({ example: 'response' })
  object: string;

  @ApiProperty({ example: 1790000000 })
  created_at: number;

  @ApiProperty({ enum: ['completed', 'incomplete', 'failed', 'in_progress'], example: 'completed' })
  status: string;

  @ApiProperty({ ...OBJECT, nullable: true, example: null, description: 'Why the answer was cut short' })
  incomplete_details: object | null;

  @ApiProperty({ ...OBJECT, nullable: true, example: null })
  error: object | null;

  @ApiProperty({ example: 'sandbox-small' })
  model: string;

  @ApiProperty({
    type: 'array',
    items: OBJECT,
    description: 'Items: message, function_call, reasoning',
    example: [
      {
        id: 'msg_0192f0c1a2b37c4d8e5f60718293a4b50000',
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'Waves fold into foam', annotations: [], logprobs: [] }],
      },
    ],
  })
  output: object[];

  @ApiProperty({ type: String, nullable: true, example: null })
  previous_response_id: string | null;

  @ApiProperty({ example: true, description: 'False also when keeping it did not work' })
  store: boolean;

  @ApiPropertyOptional({ type: ResponseUsageDto, nullable: true })
  usage?: ResponseUsageDto | null;
}
