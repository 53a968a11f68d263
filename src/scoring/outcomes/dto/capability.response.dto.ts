import { ApiProperty } from '@nestjs/swagger';
import { TASK_TYPES, type TaskType } from '../../../common/index';
import { VERSION_REASONS, type VersionReason } from '../versions/capability-version';

export class TaskCapabilityDto {
  @ApiProperty({ enum: TASK_TYPES, enumName: 'TaskType', example: 'SUMMARIZATION' })
  taskType: TaskType;

  @ApiProperty({
    minimum: 0,
    maximum: 1,
    example: 0.83,
    description: 'Expected of a usual task that is certainly of this type',
  })
  quality: number;

  @ApiProperty({ minimum: 0, example: 0.04, description: 'Standard deviation of that estimate' })
  deviation: number;

  @ApiProperty({ example: 120, description: 'Outcomes that it rests on' })
  observations: number;

  @ApiProperty({ minimum: 0, maximum: 1, example: 0.78, description: 'What the catalog alone says' })
  prior: number;
}

export class ModelCapabilityDto {
  @ApiProperty({ type: String, example: 'gpt-4o-mini', description: 'The model, whoever sells it' })
  model: string;

  @ApiProperty({ type: [TaskCapabilityDto] })
  taskTypes: TaskCapabilityDto[];
}

export class CapabilityStateDto {
  @ApiProperty({ type: String, example: '7', description: 'The version in force; `prior`: nothing learned' })
  version: string;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'Null: the newest is in force' })
  pinned: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  pinnedAt: string | null;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'For administrators only' })
  pinnedBy: string | null;
}

export class CapabilityPageDto extends CapabilityStateDto {
  @ApiProperty({ type: [ModelCapabilityDto] })
  data: ModelCapabilityDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;
}

export class OutcomeCountsDto {
  @ApiProperty({ type: 'integer', example: 200 }) api: number;
  @ApiProperty({ type: 'integer', example: 1000 }) csv: number;
  @ApiProperty({ type: 'integer', example: 12 }) feedback: number;
}

export class CapabilityVersionDto {
  @ApiProperty({ type: String, example: '7' })
  version: string;

  @ApiProperty({ type: Boolean })
  isInForce: boolean;

  @ApiProperty({
    enum: VERSION_REASONS,
    example: 'import',
    description:
      'What had changed. `catalog`: its estimates; `repair`: another release had stored the one before in a way that this one cannot read',
  })
  reason: VersionReason;

  @ApiProperty({ description: 'What it was learned from' })
  outcomes: OutcomeCountsDto;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Whose call made it, for administrators only; null: made in the background',
  })
  createdBy: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'When routing left it' })
  usedUntil: string | null;
}

export class CapabilityVersionDetailDto extends CapabilityVersionDto {
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'All of it, as it is stored; for administrators only',
  })
  content: unknown;
}

export class CapabilityVersionPageDto {
  @ApiProperty({ type: [CapabilityVersionDto] })
  data: CapabilityVersionDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;
}
