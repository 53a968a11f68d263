import { ApiProperty } from '@nestjs/swagger';
import { formatUsd } from '../../../common/index';
import { EXIT_REASONS, type ExitReason } from '../../tasks/task';
import type { AgentResult } from '../agent-execution.service';

export class AgentFailureDto {
  @ApiProperty({ type: String, example: 'BUDGET_EXCEEDED' })
  code: string;

  @ApiProperty({ type: String })
  message: string;
}

export class AgentResultDto {
  @ApiProperty({ enum: ['succeeded', 'failed'], example: 'succeeded' })
  state: AgentResult['state'];

  @ApiProperty({ enum: EXIT_REASONS, example: 'completed' })
  exitReason: ExitReason;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The result; when it failed, what there was by then.',
  })
  output: string | null;

  @ApiProperty({ type: AgentFailureDto, nullable: true, example: null })
  error: AgentFailureDto | null;

  @ApiProperty({ type: String, nullable: true, description: 'Catalog id of the model that answered last.' })
  model: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: '0.00042',
    description: 'Of the answers that came; null: a price was unknown.',
  })
  costUsd: string | null;

  @ApiProperty({ type: 'integer', example: 1, description: 'Answers of the model.' })
  rounds: number;

  @ApiProperty({ type: String, format: 'date-time' })
  startedAt: string;

  @ApiProperty({ type: String, format: 'date-time' })
  completedAt: string;

  static from({ costPicoUsd, startedAt, completedAt, ...result }: AgentResult): AgentResultDto {
    return {
      ...result,
      costUsd: costPicoUsd === undefined ? null : formatUsd(costPicoUsd),
      startedAt: startedAt.toISOString(),
      completedAt: completedAt.toISOString(),
    };
  }
}
