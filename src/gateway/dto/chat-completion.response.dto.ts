import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

export class ChatUsageDto {
  @ApiProperty({ example: 12 })
  prompt_tokens: number;

  @ApiProperty({ example: 34 })
  completion_tokens: number;

  @ApiProperty({ example: 46 })
  total_tokens: number;
}

export class ChatChoiceDto {
  @ApiProperty({ example: 0 })
  index: number;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { role: 'assistant', content: 'Waves fold into foam' },
  })
  message: object;

  @ApiProperty({ example: 'stop' })
  finish_reason: string;
}

export class ChatCompletionResponseDto {
  @ApiProperty({ example: 'chatcmpl-123' })
  id: string;

  @ApiProperty({ example: 'chat.completion' })
  object: string;

  @ApiProperty({ example: 1790000000 })
  created: number;

  @ApiProperty({ example: 'sandbox-small' })
  model: string;

  @ApiProperty({ type: [ChatChoiceDto] })
  choices: ChatChoiceDto[];

  @ApiPropertyOptional({ type: ChatUsageDto })
  usage?: ChatUsageDto;
}
