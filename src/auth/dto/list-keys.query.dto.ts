import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsOptional, IsString, MaxLength } from 'class-validator';
import { PageQueryDto } from '../../common/index';

/** `true` and `false` as they stand in a URL; anything else is left for the rule to refuse. */
function booleanOf({ value }: { value: unknown }): unknown {
  return value === 'true' ? true : value === 'false' ? false : value;
}

export class ListKeysQueryDto extends PageQueryDto {
  @ApiPropertyOptional({
    type: String,
    maxLength: 100,
    description: 'Keys of this user. Administrators only, unless it is you.',
  })
  @IsOptional()
  @IsString()
  @MaxLength(100)
  userId?: string;

  @ApiPropertyOptional({
    type: Boolean,
    default: false,
    description: "Everybody's keys. Administrators only.",
  })
  @IsOptional()
  @Transform(booleanOf)
  @IsBoolean()
  all: boolean = false;

  @ApiPropertyOptional({ type: Boolean, default: false, description: 'Revoked keys as well.' })
  @IsOptional()
  @Transform(booleanOf)
  @IsBoolean()
  includeRevoked: boolean = false;
}
