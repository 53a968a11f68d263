import { ApiProperty } from '@nestjs/swagger';

export class ReadinessDto {
  @ApiProperty({ example: true })
  ready: boolean;

  @ApiProperty({ example: true, description: 'PostgreSQL answers' })
  database: boolean;

  @ApiProperty({ example: true, description: 'At least one provider is usable' })
  provider: boolean;

  @ApiProperty({
    type: [String],
    example: [],
    description: 'What keeps it from being ready, and what would help',
  })
  reasons: string[];
}

export class LivenessDto {
  @ApiProperty({ example: 'ok' })
  status: string;

  @ApiProperty({ example: '0.1.0' })
  version: string;
}
