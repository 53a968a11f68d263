import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { BooleanFilter, PageQueryDto, TASK_TYPES, type TaskType } from '../../../common/index';
import { OUTCOME_SOURCES, type OutcomeSource } from '../outcome';
import { MAX_NAME_CHARS } from '../outcome-csv';

const Text = (description: string): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: String, maxLength: MAX_NAME_CHARS, description }),
    IsOptional(),
    IsString(),
    MaxLength(MAX_NAME_CHARS),
  );

const Type = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ enum: TASK_TYPES, enumName: 'TaskType' }),
    IsOptional(),
    IsIn(TASK_TYPES),
  );

const Source = (): PropertyDecorator =>
  applyDecorators(ApiPropertyOptional({ enum: OUTCOME_SOURCES }), IsOptional(), IsIn(OUTCOME_SOURCES));

export class ListOutcomesQueryDto extends PageQueryDto {
  @Text('Any name of the model')
  model?: string;

  @Type()
  taskType?: TaskType;

  @Source()
  source?: OutcomeSource;

  @Text('Of this pool')
  pool?: string;
}

export class RemoveOutcomesQueryDto {
  @Text('Any name of the model')
  model?: string;

  @Type()
  taskType?: TaskType;

  @Source()
  source?: OutcomeSource;

  @Text('Of this pool')
  pool?: string;

  @BooleanFilter({ default: false, description: 'Needed where nothing else says which.' })
  all?: boolean;
}

export class ImportOutcomesQueryDto {
  @Text('The pool of lines that name none')
  pool?: string;
}
