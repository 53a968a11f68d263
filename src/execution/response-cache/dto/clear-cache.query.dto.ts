import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsOptional } from 'class-validator';

/** As it stands in a URL; anything else is left for the rule to refuse. */
function booleanOf({ value }: { value: unknown }): unknown {
  return value === 'true' ? true : value === 'false' ? false : value;
}

export class ClearCacheQueryDto {
  @ApiPropertyOptional({
    type: Boolean,
    default: false,
    description: "Everybody's answers. Administrators only.",
  })
  @IsOptional()
  @Transform(booleanOf)
  @IsBoolean()
  all: boolean = false;
}
