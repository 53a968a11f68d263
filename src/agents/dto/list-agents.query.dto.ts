import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, Matches } from 'class-validator';
import { BooleanFilter, PageQueryDto } from '../../common/index';
import { AGENT_MODES, type AgentMode, CAPABILITY } from '../agent';

export class ListAgentsQueryDto extends PageQueryDto {
  @ApiPropertyOptional({
    type: String,
    pattern: CAPABILITY.source,
    description: 'Those that are good at this, such as `code`.',
  })
  @IsOptional()
  @Matches(CAPABILITY, { message: '$property must be lower-case letters, digits and hyphens, such as code' })
  capability?: string;

  @ApiPropertyOptional({ enum: AGENT_MODES })
  @IsOptional()
  @IsIn(AGENT_MODES)
  mode?: AgentMode;

  @BooleanFilter({ description: 'Only those that somebody can answer for now, or only the others.' })
  isAvailable?: boolean;
}
