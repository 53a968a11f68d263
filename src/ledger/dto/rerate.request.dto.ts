import { ApiProperty } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';

export class RerateRequestDto {
  @ApiProperty({
    type: String,
    maxLength: 40,
    example: '2026-01-01',
    description: 'Lines of requests admitted at this date (UTC) or time, or later.',
  })
  @IsString()
  @MaxLength(40)
  from: string;

  @ApiProperty({
    type: String,
    maxLength: 40,
    example: '2030-01-01',
    description: 'Before this date or time.',
  })
  @IsString()
  @MaxLength(40)
  to: string;

  @ApiProperty({
    type: String,
    maxLength: 40,
    example: 'current',
    description:
      '`booked`: the price version of each line, which gives the booked totals again. `current`: the prices in force now. ' +
      'A date or time: the prices that were in force then.',
  })
  @IsString()
  @MaxLength(40)
  priceBook: string;
}
