import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { type JsonObject, toApiId } from '../../../common/index';
import { RUN_STATUSES, type RunStatus } from '../../runs/run';
import type { ApprovedRun } from '../../runs/run-graph.repository';
import {
  type Plan,
  PLAN_STATES,
  type PlannedTask,
  type PlanState,
  type PlanWarning,
  WARNING_CODES,
} from '../plan';
import type { ListedPlan } from '../plan-rows';

const PLAN_ID = { type: String, example: 'pln_0192f0c1a2b37c4d8e5f60718293a4b5' };
const PROJECT_ID = { type: String, example: 'prj_0192f0c1a2b37c4d8e5f60718293a4b5' };
const INSTANT = { type: String, format: 'date-time' };
const STATE = {
  enum: PLAN_STATES,
  example: 'ready',
  description:
    '`planning`: being made; `ready`: to be edited or approved; `superseded`: a newer one took its place.',
};

export class PlannedTaskResponseDto {
  @ApiProperty({ type: String, example: 'Write the text' })
  title: string;

  @ApiProperty({ type: String, example: 'One page about soap, for the front page of the shop.' })
  description: string;

  @ApiProperty({ type: String, example: 'writer' })
  agent: string;

  @ApiPropertyOptional({ type: String, example: 'auto' })
  model?: string;

  @ApiProperty({ type: [String], example: ['The text in Markdown'] })
  deliverables: string[];

  @ApiProperty({ type: [String], example: [] })
  successCriteria: string[];

  @ApiProperty({
    type: 'array',
    items: { type: 'integer' },
    example: [0],
    description: 'Indexes of tasks, from 0, each once.',
  })
  dependsOn: (number | string)[];

  @ApiProperty({ type: 'integer', example: 50 })
  priority: number;

  @ApiProperty({ type: 'integer', example: 4096 })
  maxTokens: number;

  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  metadata?: JsonObject;

  static of(task: PlannedTask): PlannedTaskResponseDto {
    const { deliverables, successCriteria, dependsOn, ...rest } = task;
    return {
      ...rest,
      deliverables: [...deliverables],
      successCriteria: [...successCriteria],
      dependsOn: [...dependsOn],
    };
  }
}

export class PlanWarningDto {
  @ApiProperty({ enum: WARNING_CODES, example: 'UNKNOWN_DEPENDENCY' })
  code: string;

  @ApiProperty({ type: String, example: 'Review the text', description: 'Title of the task.' })
  task: string;

  @ApiProperty({ type: String, example: 'Write the txt', description: 'What was written.' })
  value: string;

  @ApiProperty({
    type: String,
    example: '“Review the text” does not wait for “Write the txt”: there is no such task',
  })
  message: string;
}

export class PlanSummaryDto {
  @ApiProperty(PLAN_ID)
  id: string;

  @ApiProperty(PROJECT_ID)
  projectId: string;

  @ApiProperty({ type: 'integer', example: 1, description: 'From 1, per project.' })
  version: number;

  @ApiProperty(STATE)
  state: PlanState;

  @ApiProperty({ type: String, nullable: true, example: 'A text and its review.' })
  summary: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'sandbox/large', description: 'That wrote it.' })
  model: string | null;

  @ApiProperty({ type: 'integer', example: 2 })
  taskCount: number;

  @ApiProperty({ type: 'integer', example: 0 })
  warningCount: number;

  @ApiProperty(INSTANT)
  createdAt: string;

  @ApiProperty(INSTANT)
  updatedAt: string;

  @ApiProperty({ ...INSTANT, nullable: true })
  approvedAt: string | null;

  static summary(plan: ListedPlan): PlanSummaryDto {
    return {
      id: toApiId('pln', plan.id),
      projectId: toApiId('prj', plan.projectId),
      version: plan.version,
      state: plan.state,
      summary: plan.summary ?? null,
      model: plan.model ?? null,
      taskCount: plan.taskCount,
      warningCount: plan.warningCount,
      createdAt: plan.createdAt.toISOString(),
      updatedAt: plan.updatedAt.toISOString(),
      approvedAt: plan.approvedAt?.toISOString() ?? null,
    };
  }
}

export class PlanDto extends PlanSummaryDto {
  @ApiProperty({ type: [PlannedTaskResponseDto] })
  tasks: PlannedTaskResponseDto[];

  @ApiProperty({ type: [PlanWarningDto], description: 'To be confirmed at the approval.' })
  warnings: PlanWarningDto[];

  @ApiProperty({
    type: 'object',
    nullable: true,
    additionalProperties: true,
    example: null,
    description: 'Why there is no plan: code and message.',
  })
  error: JsonObject | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: null,
    description: 'What the model wrote last, where no plan could be made of it.',
  })
  rawText: string | null;

  static of(plan: Plan): PlanDto {
    const counts = { taskCount: plan.tasks.length, warningCount: plan.warnings.length };
    return Object.assign(new PlanDto(), PlanSummaryDto.summary({ ...plan, ...counts }), {
      tasks: plan.tasks.map((task) => PlannedTaskResponseDto.of(task)),
      warnings: plan.warnings.map((warning: PlanWarning) => ({ ...warning })),
      error: plan.error ?? null,
      rawText: plan.rawText ?? null,
    });
  }
}

export class PlanPageDto {
  @ApiProperty({ type: [PlanSummaryDto], description: 'Without their tasks.' })
  data: PlanSummaryDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;
}

export class ApprovalDto {
  @ApiProperty({ type: String, example: 'run_0192f0c1a2b37c4d8e5f60718293a4b5' })
  runId: string;

  @ApiProperty(PROJECT_ID)
  projectId: string;

  @ApiProperty(PLAN_ID)
  planId: string;

  @ApiProperty({ enum: RUN_STATUSES, example: 'approved' })
  status: RunStatus;

  @ApiProperty({ type: 'integer', example: 2 })
  tasks: number;

  static of({ id, projectId, planId, status, tasks }: ApprovedRun): ApprovalDto {
    return {
      runId: toApiId('run', id),
      projectId: toApiId('prj', projectId),
      planId: toApiId('pln', planId),
      status,
      tasks,
    };
  }
}
