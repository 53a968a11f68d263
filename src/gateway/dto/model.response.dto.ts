import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

export class ModelDto {
  @ApiProperty({ example: 'sandbox/small' })
  id: string;

  @ApiProperty({ example: 'model' })
  object: string;

  @ApiProperty({ example: 1_790_000_000 })
  created: number;

  @ApiProperty({ example: 'sandbox' })
  owned_by: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'What Lattice knows of it beyond the OpenAI shape',
  })
  lattice?: Record<string, unknown>;
}

export class ModelListDto {
  @ApiProperty({ example: 'list' })
  object: string;

  @ApiProperty({ type: [ModelDto] })
  data: ModelDto[];
}
