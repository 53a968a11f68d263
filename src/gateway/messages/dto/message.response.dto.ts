import { ApiProperty } from '@nestjs/swagger';

export class MessageUsageDto {
  @ApiProperty({ example: 12, description: 'Neither read from a cache nor written to one' })
  input_tokens: number;

  @ApiProperty({ example: 34 })
  output_tokens: number;

  @ApiProperty({ type: Number, nullable: true, example: null })
  cache_read_input_tokens: number | null;

  @ApiProperty({ type: Number, nullable: true, example: null })
  cache_creation_input_tokens: number | null;
}

export class MessageResponseDto {
  @ApiProperty({ example: 'msg_019a0000000070008000000000000000' })
  id: string;

  @ApiProperty({ example: 'message' })
  type: string;

  @ApiProperty({ example: 'assistant' })
  role: string;

  @ApiProperty({ example: 'sandbox-small' })
  model: string;

  @ApiProperty({
    type: 'array',
    items: { type: 'object', additionalProperties: true },
    example: [{ type: 'text', text: 'Waves fold into foam', citations: null }],
  })
  content: object[];

  @ApiProperty({
    type: String,
    nullable: true,
    enum: ['end_turn', 'max_tokens', 'tool_use', 'stop_sequence', 'refusal', null],
    example: 'end_turn',
  })
  stop_reason: string | null;

  @ApiProperty({ type: String, nullable: true, example: null })
  stop_sequence: string | null;

  @ApiProperty({ type: MessageUsageDto })
  usage: MessageUsageDto;
}
