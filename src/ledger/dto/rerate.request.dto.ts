import { ApiProperty } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { IsInstant } from '../../common/index';

export class RerateRequestDto {
  @ApiProperty({
    type: String,
    example: '2026-01-01',
    description: 'Lines of requests admitted at this date (UTC) or time, or later.',
  })
  @IsInstant()
  from: string;

  @ApiProperty({
    type: String,
    example: '2030-01-01',
    description: 'Before this date or time.',
  })
  @IsInstant()
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
