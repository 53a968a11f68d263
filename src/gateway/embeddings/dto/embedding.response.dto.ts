import { ApiProperty } from '@nestjs/swagger';

export class EmbeddingDto {
  @ApiProperty({ example: 'embedding' })
  object: string;

  @ApiProperty({ type: 'integer', example: 0 })
  index: number;

  @ApiProperty({
    description: 'Numbers, or base64',
    oneOf: [{ type: 'array', items: { type: 'number' } }, { type: 'string' }],
    example: [0.0125, -0.25, 0.5],
  })
  embedding: unknown;
}

export class EmbeddingUsageDto {
  @ApiProperty({ type: 'integer', example: 9 })
  prompt_tokens: number;

  @ApiProperty({ type: 'integer', example: 9 })
  total_tokens: number;
}

export class EmbeddingListResponseDto {
  @ApiProperty({ example: 'list' })
  object: string;

  @ApiProperty({ type: [EmbeddingDto] })
  data: EmbeddingDto[];

  @ApiProperty({
    description: 'As the provider named it, or its id in GET /v1/models',
    example: 'sandbox/embed',
  })
  model: string;

  @ApiProperty()
  usage: EmbeddingUsageDto;
}
