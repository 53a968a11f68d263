import { ApiProperty } from '@nestjs/swagger';

export class RatedSumDto {
  @ApiProperty({ example: 1200 })
  lines: number;

  @ApiProperty({ type: String, example: '12.5', description: 'As booked.' })
  oldUsd: string;

  @ApiProperty({ type: String, example: '10', description: 'At the other prices.' })
  newUsd: string;

  @ApiProperty({ type: String, example: '-2.5', description: 'New less old.' })
  differenceUsd: string;
}

export class RatedModelDto extends RatedSumDto {
  @ApiProperty({ example: 'sandbox/small' })
  model: string;
}

export class RatedDayDto extends RatedSumDto {
  @ApiProperty({ type: String, format: 'date', example: '2026-11-21' })
  day: string;
}

export class UnpricedModelDto {
  @ApiProperty({ example: 'local/unknown' })
  model: string;

  @ApiProperty({ example: 3 })
  lines: number;

  @ApiProperty({ type: String, example: '0' })
  costUsd: string;
}

export class KeptLineDto {
  @ApiProperty({ example: 'req_0192f0c0a1b27c3d8e4f5a6b7c8d9e0f' })
  requestId: string;

  @ApiProperty({ example: 1 })
  attempt: number;

  @ApiProperty({ example: 'sandbox/small' })
  model: string;

  @ApiProperty({ type: String, example: '0.05' })
  costUsd: string;
}

export class KeptLinesDto {
  @ApiProperty({ example: 1 })
  lines: number;

  @ApiProperty({ type: String, example: '0.05' })
  costUsd: string;

  @ApiProperty({ type: [KeptLineDto], description: 'The first 100.' })
  first: KeptLineDto[];
}

export class RerateResponseDto extends RatedSumDto {
  @ApiProperty({ type: String, format: 'date-time' })
  from: string;

  @ApiProperty({ type: String, format: 'date-time' })
  to: string;

  @ApiProperty({ type: String, example: 'current', description: '`booked`, `current` or a time.' })
  priceBook: string;

  @ApiProperty({
    example: 1190,
    description: 'Lines with a new cost. All others count with the booked one in both sums.',
  })
  rerated: number;

  @ApiProperty({ type: [RatedModelDto] })
  models: RatedModelDto[];

  @ApiProperty({ type: [RatedDayDto] })
  days: RatedDayDto[];

  @ApiProperty({ type: [UnpricedModelDto], description: 'Models without a price in that book.' })
  unpriced: UnpricedModelDto[];

  @ApiProperty({
    type: KeptLinesDto,
    description:
      'Attempts of a process that died, booked at what their hard budget had held: no price gives that.',
  })
  kept: KeptLinesDto;
}
