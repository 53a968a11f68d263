import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { toApiId } from '../../common/index';
import { type Agent, AGENT_MODES, type AgentMode } from '../agent';

export class AgentLimitsDto {
  @ApiProperty({ type: 'integer', example: 8192, description: 'Tokens of one answer, at most.' })
  maxTokens: number;

  @ApiProperty({ type: 'integer', example: 10, description: 'Rounds of tool calls in one task, at most.' })
  maxRounds: number;

  @ApiProperty({ type: 'integer', example: 600000, description: 'How long one attempt at a task may take.' })
  timeoutMs: number;
}

export class AgentDto {
  @ApiProperty({
    type: String,
    nullable: true,
    example: 'agt_0192f0c1a2b37c4d8e5f60718293a4b5',
    description: 'Null: built in.',
  })
  id: string | null;

  @ApiProperty({ type: String, example: 'coder' })
  type: string;

  @ApiProperty({ type: Boolean, description: 'It stands in the configuration and is there for everybody.' })
  isBuiltIn: boolean;

  @ApiProperty({ type: String, example: 'Writes and changes code.' })
  description: string;

  @ApiProperty({ type: [String], example: ['code', 'debugging'] })
  capabilities: string[];

  @ApiProperty({ type: String, example: 'auto:best' })
  model: string;

  @ApiProperty({ type: [String], example: [] })
  fallbackModels: string[];

  @ApiProperty({ type: String, description: 'Template of the system message.' })
  prompt: string;

  @ApiProperty({ type: [String], example: ['file'] })
  tools: string[];

  @ApiProperty({ enum: AGENT_MODES, example: 'hybrid' })
  mode: AgentMode;

  @ApiProperty({ type: AgentLimitsDto })
  limits: AgentLimitsDto;

  @ApiProperty({
    type: Boolean,
    description: 'Is there anybody who can answer: a model with credentials, a script, a person?',
  })
  isAvailable: boolean;

  @ApiPropertyOptional({ type: String, description: 'Why it is not available, and what would help.' })
  unavailableReason?: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Null: built in.' })
  createdAt: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Null: built in.' })
  updatedAt: string | null;

  static from(agent: Agent): AgentDto {
    const { id, type, description, model, prompt, mode, limits, isAvailable, unavailableReason } = agent;
    return {
      id: id === null ? null : toApiId('agt', id),
      type,
      isBuiltIn: id === null,
      description,
      capabilities: [...agent.capabilities],
      model,
      fallbackModels: [...agent.fallbackModels],
      prompt,
      tools: [...agent.tools],
      mode,
      limits: { ...limits },
      isAvailable,
      unavailableReason,
      createdAt: agent.createdAt?.toISOString() ?? null,
      updatedAt: agent.updatedAt?.toISOString() ?? null,
    };
  }
}

export class AgentPageDto {
  @ApiProperty({ type: [AgentDto] })
  data: AgentDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;
}
