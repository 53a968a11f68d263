import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import { IfPresent } from '../../common/index';

const DAY_SECONDS = 86_400;

export class RotateKeyRequestDto {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: DAY_SECONDS,
    default: 0,
    example: 300,
    description: 'How long the old key is taken as well.',
  })
  @IfPresent()
  @IsInt()
  @Min(0)
  @Max(DAY_SECONDS)
  graceSeconds: number = 0;
}
