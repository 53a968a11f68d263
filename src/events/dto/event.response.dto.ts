import { ApiProperty } from '@nestjs/swagger';
import type { JsonObject } from '../../common/index';

export class EventDto {
  @ApiProperty({ type: String, example: 'evt_0192f0c1a2b37c4d8e5f60718293a4b5' })
  id: string;

  @ApiProperty({ type: String, example: 'budget.threshold' })
  type: string;

  @ApiProperty({
    type: String,
    example: 'bud_0192f0c1a2b37c4d8e5f60718293a4b5',
    description: 'What it is about.',
  })
  resource: string;

  @ApiProperty({ type: String, format: 'date-time' })
  at: string;

  @ApiProperty({ type: Object, additionalProperties: true, example: { percent: 80 } })
  data: JsonObject;
}

export class EventPageDto {
  @ApiProperty({ type: [EventDto] })
  data: EventDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;
}

export class EventTokenDto {
  @ApiProperty({ type: String, description: 'For `?token=` of this one stream.' })
  token: string;

  @ApiProperty({ type: 'integer', example: 60 })
  expiresInSeconds: number;
}
