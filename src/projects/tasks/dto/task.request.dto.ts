import { ApiProperty, ApiPropertyOptional, PartialType } from '@nestjs/swagger';
import { Matches, IsBoolean, IsIn, IsOptional, IsString, Length, ValidateIf } from 'class-validator';
import { AGENT_TYPE, MAX_MODEL_NAME, TaskFieldsDto } from '../../../agents/index';
import { IdFilter, IfPresent, PageQueryDto } from '../../../common/index';
import { TASK_STATES, type TaskState } from '../../project';
import type { TaskChange } from '../task';

const MAX_ANSWER = 200_000;

export class ListTasksQueryDto extends PageQueryDto {
  @ApiPropertyOptional({ enum: TASK_STATES })
  @IsOptional()
  @IsIn(TASK_STATES)
  state?: TaskState;

  @IdFilter('run', 'Of this run. Default: of the newest one.')
  runId?: string;
}

/** Everything about a task but its dependencies. */
export class UpdateTaskRequestDto extends PartialType(TaskFieldsDto) {
  @ApiPropertyOptional({ type: String, pattern: AGENT_TYPE.source, example: 'writer' })
  @IfPresent()
  @Matches(AGENT_TYPE, { message: 'agent must be a type of agent, such as writer' })
  agent?: string;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    minLength: 1,
    maxLength: MAX_MODEL_NAME,
    example: 'auto:best',
    description: 'In the place of the agent’s own model; null: the agent’s.',
  })
  @ValidateIf((_body: unknown, value: unknown) => value !== undefined && value !== null)
  @IsString()
  @Length(1, MAX_MODEL_NAME)
  @Matches(/^\S+$/, { message: 'model must be the name of a model, without blanks' })
  declare model?: string;

  /** Without what was left out. */
  static change(body: UpdateTaskRequestDto): TaskChange {
    return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)) as TaskChange;
  }
}

export class RetryTaskRequestDto {
  @ApiPropertyOptional({
    type: Boolean,
    default: false,
    example: false,
    description: 'Asks for everything again, also for the answers that are kept.',
  })
  @IfPresent()
  @IsBoolean()
  fresh?: boolean;
}

export class AnswerTaskRequestDto {
  @ApiProperty({
    type: String,
    minLength: 1,
    maxLength: MAX_ANSWER,
    example: 'Approved: publish it on Monday.',
    description: 'The result of the task.',
  })
  @IsString()
  @Length(1, MAX_ANSWER)
  output: string;
}
