import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, Length } from 'class-validator';
import { PageQueryDto, type Role, ROLES } from '../../common/index';

const STATES = ['active', 'disabled'] as const;

export class ListUsersQueryDto extends PageQueryDto {
  @ApiPropertyOptional({ enum: ROLES })
  @IsOptional()
  @IsIn(ROLES)
  role?: Role;

  @ApiPropertyOptional({ enum: STATES })
  @IsOptional()
  @IsIn(STATES)
  state?: (typeof STATES)[number];

  @ApiPropertyOptional({ type: String, minLength: 1, maxLength: 320, description: 'Part of the address.' })
  @IsOptional()
  @IsString()
  @Length(1, 320)
  email?: string;
}
