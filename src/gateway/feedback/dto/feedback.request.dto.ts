import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsNumber, IsString, Max, MaxLength, Min } from 'class-validator';
import { IfPresent } from '../../../common/index';

const MAX_COMMENT_CHARS = 2000;

export class CreateFeedbackRequestDto {
  @ApiProperty({
    minimum: 0,
    maximum: 1,
    example: 0.9,
    description: 'How good the answer was: 0 useless, 1 perfect',
  })
  @IsNumber({ allowInfinity: false, allowNaN: false })
  @Min(0)
  @Max(1)
  score: number;

  @ApiPropertyOptional({
    type: String,
    maxLength: MAX_COMMENT_CHARS,
    example: 'Short and to the point',
    description: 'For you and the administrators; never logged',
  })
  @IfPresent()
  @IsString()
  @MaxLength(MAX_COMMENT_CHARS)
  comment?: string;
}
