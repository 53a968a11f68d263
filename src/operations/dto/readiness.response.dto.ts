import { ApiProperty } from '@nestjs/swagger';

export class JournalStateDto {
  @ApiProperty({ example: 0, description: 'Settlements of this process that PostgreSQL has not taken yet' })
  entries: number;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'No entry is older' })
  oldestAt: string | null;

  @ApiProperty({ example: true, description: 'The disk takes what PostgreSQL does not' })
  writable: boolean;
}

export class ReadinessDto {
  @ApiProperty({ example: true })
  ready: boolean;

  @ApiProperty({ example: false, description: 'Something does not work as it should; see warnings' })
  degraded: boolean;

  @ApiProperty({ example: false, description: 'The process is shutting down' })
  draining: boolean;

  @ApiProperty({ example: true, description: 'PostgreSQL answers' })
  database: boolean;

  @ApiProperty({ example: true, description: 'At least one provider is usable' })
  provider: boolean;

  @ApiProperty({ type: JournalStateDto })
  journal: JournalStateDto;

  @ApiProperty({
    type: String,
    nullable: true,
    example: null,
    description:
      'US dollars that this process may still spend while PostgreSQL is away; null without a float',
  })
  floatLeftUsd: string | null;

  @ApiProperty({
    type: [String],
    example: [],
    description: 'What keeps it from being ready, and what would help',
  })
  reasons: string[];

  @ApiProperty({ type: [String], example: [], description: 'What does not keep it from being ready' })
  warnings: string[];
}

export class LivenessDto {
  @ApiProperty({ example: 'ok' })
  status: string;

  @ApiProperty({ example: '0.1.0' })
  version: string;
}
