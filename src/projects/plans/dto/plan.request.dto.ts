import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsInt,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { AgentTaskDto, MAX_MODEL_NAME } from '../../../agents/index';
import { IfPresent } from '../../../common/index';
import { type DraftTask, MAX_PLAN_SUMMARY, MAX_PLAN_TASKS, MAX_TASK_DEPENDENCIES } from '../plan';
import type { ApprovalOptions } from '../plan-approval.service';
import type { WantedPlan } from '../planning.service';
import type { PlanChange } from '../plans.service';

const MAX_INSTRUCTIONS = 10_000;
const DEFAULT_TASKS = 20;
/** More do not fit into one answer. */
const MOST_ASKED_TASKS = 100;

export class CreatePlanRequestDto {
  @ApiPropertyOptional({
    type: String,
    maxLength: MAX_MODEL_NAME,
    example: 'auto:best',
    description: 'Model or strategy that plans. Default: PLANNER_MODEL of the installation.',
  })
  @IfPresent()
  @IsString()
  @Length(1, MAX_MODEL_NAME)
  @Matches(/^\S+$/, { message: 'model must be the name of a model, without blanks' })
  model?: string;

  @ApiPropertyOptional({
    type: String,
    maxLength: MAX_INSTRUCTIONS,
    example: 'Keep it small: no more than four tasks.',
    description: 'For this plan only, beside the requirements.',
  })
  @IfPresent()
  @IsString()
  @Length(1, MAX_INSTRUCTIONS)
  instructions?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MOST_ASKED_TASKS, default: DEFAULT_TASKS })
  @IfPresent()
  @IsInt()
  @Min(1)
  @Max(MOST_ASKED_TASKS)
  maxTasks?: number;

  static wanted({ model, instructions, maxTasks = DEFAULT_TASKS }: CreatePlanRequestDto): WantedPlan {
    return { model, instructions, maxTasks };
  }
}

export class PlannedTaskDto extends AgentTaskDto {
  @ApiPropertyOptional({
    type: 'array',
    maxItems: MAX_TASK_DEPENDENCIES,
    items: { oneOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }] },
    default: [],
    example: [],
    description:
      'What must be done before: indexes from 0, or titles. What names no other task is left out, with a warning.',
  })
  @IfPresent()
  // As it was sent: the decomposer says what is wrong with an item.
  @Transform(({ obj }: { obj: { dependsOn?: unknown } }) => obj.dependsOn)
  @IsArray()
  @ArrayMaxSize(MAX_TASK_DEPENDENCIES)
  dependsOn?: unknown[];

  static draft(body: PlannedTaskDto): DraftTask {
    return { ...AgentTaskDto.task(body), dependsOn: body.dependsOn ?? [] };
  }
}

export class UpdatePlanRequestDto {
  @ApiPropertyOptional({ type: String, maxLength: MAX_PLAN_SUMMARY, example: 'A text and its review.' })
  @IfPresent()
  @IsString()
  @MaxLength(MAX_PLAN_SUMMARY)
  summary?: string;

  @ApiPropertyOptional({
    type: [PlannedTaskDto],
    minItems: 1,
    maxItems: MAX_PLAN_TASKS,
    description: 'All tasks, in the place of all that there were.',
  })
  @IfPresent()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_PLAN_TASKS)
  @ValidateNested({ each: true })
  @Type(() => PlannedTaskDto)
  tasks?: PlannedTaskDto[];

  static change({ summary, tasks }: UpdatePlanRequestDto): PlanChange {
    return { summary, tasks: tasks?.map((task) => PlannedTaskDto.draft(task)) };
  }
}

export class ApprovePlanRequestDto {
  @ApiPropertyOptional({
    type: Boolean,
    default: false,
    description: 'The warnings of the plan were read: dependencies that it leaves out.',
  })
  @IfPresent()
  @IsBoolean()
  confirmWarnings?: boolean;

  @ApiPropertyOptional({ type: Boolean, default: false, description: 'Begin at once.' })
  @IfPresent()
  @IsBoolean()
  start?: boolean;

  static options({ confirmWarnings = false, start = false }: ApprovePlanRequestDto): ApprovalOptions {
    return { confirmWarnings, start };
  }
}

/** They work as they stand. */
export const CREATE_PLAN_EXAMPLES = {
  usual: { summary: 'As the installation plans', value: {} },
  small: { summary: 'A small one', value: { maxTasks: 4, instructions: 'Keep it small.' } },
};

export const UPDATE_PLAN_EXAMPLES = {
  tasks: {
    summary: 'Other tasks',
    value: {
      summary: 'A text and its review.',
      tasks: [
        {
          title: 'Write the text',
          description: 'One page about soap, for the front page of the shop.',
          agent: 'writer',
          deliverables: ['The text in Markdown'],
        },
        {
          title: 'Review the text',
          description: 'Find mistakes and say how to mend them.',
          agent: 'reviewer',
          dependsOn: ['Write the text'],
          priority: 40,
        },
      ],
    },
  },
};

export const APPROVE_PLAN_EXAMPLES = {
  approve: { summary: 'Approve it', value: {} },
  start: {
    summary: 'Approve it, warnings and all, and begin',
    value: { confirmWarnings: true, start: true },
  },
};
