import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, Length, Matches, MaxLength } from 'class-validator';
import { BUDGET_AMOUNT, IfPresent, IsBudgetAmount, PageQueryDto, parseUsd } from '../../common/index';
import { PROJECT_STATUSES, type ProjectStatus } from '../project';
import type { NewProject, ProjectUpdate } from '../projects.service';

const MAX_NAME = 200;
const MAX_REQUIREMENTS = 50_000;

const NAME = { type: String, minLength: 1, maxLength: MAX_NAME, example: 'A small shop' };
const REQUIREMENTS = {
  type: String,
  minLength: 1,
  maxLength: MAX_REQUIREMENTS,
  example: 'A web shop for hand-made soap: ten products, a basket, payment by invoice. No accounts.',
  description: 'What shall be there in the end, in plain words. Planner and agents read it.',
};
const BUDGET = {
  ...BUDGET_AMOUNT,
  example: '5',
  description: `Of the whole project, hard. ${BUDGET_AMOUNT.description} The budgets of its owner hold as well.`,
};

const Name = (): PropertyDecorator =>
  applyDecorators(
    IsString(),
    Length(1, MAX_NAME),
    Matches(/^(?!\s)[^\p{Cc}\p{Zl}\p{Zp}]+(?<!\s)$/u, {
      message: '$property must be one line of text without blanks around it',
    }),
  );

const Requirements = (): PropertyDecorator =>
  applyDecorators(
    IsString(),
    Length(1, MAX_REQUIREMENTS),
    Matches(/\S/, { message: '$property must hold more than blanks' }),
  );

export class CreateProjectRequestDto {
  @ApiProperty(NAME)
  @Name()
  name: string;

  @ApiProperty(REQUIREMENTS)
  @Requirements()
  requirements: string;

  @ApiPropertyOptional(BUDGET)
  @IfPresent()
  @IsBudgetAmount()
  budgetUsd?: string;

  static wanted({ name, requirements, budgetUsd }: CreateProjectRequestDto): NewProject {
    return {
      name,
      requirements,
      budgetPicoUsd: budgetUsd === undefined ? undefined : parseUsd(budgetUsd),
    };
  }
}

export class UpdateProjectRequestDto {
  @ApiPropertyOptional(NAME)
  @IfPresent()
  @Name()
  name?: string;

  @ApiPropertyOptional({ ...REQUIREMENTS, description: 'While the project is draft or planned.' })
  @IfPresent()
  @Requirements()
  requirements?: string;

  @ApiPropertyOptional({
    ...BUDGET,
    nullable: true,
    description: `${BUDGET.description} Null: none any more.`,
  })
  @IsOptional()
  @IsBudgetAmount()
  budgetUsd?: string | null;

  static update({ name, requirements, budgetUsd }: UpdateProjectRequestDto): ProjectUpdate {
    const budgetPicoUsd = typeof budgetUsd === 'string' ? parseUsd(budgetUsd) : budgetUsd;
    return { name, requirements, budgetPicoUsd };
  }
}

export class ListProjectsQueryDto extends PageQueryDto {
  @ApiPropertyOptional({ enum: PROJECT_STATUSES })
  @IsOptional()
  @IsIn(PROJECT_STATUSES)
  status?: ProjectStatus;

  @ApiPropertyOptional({
    type: String,
    maxLength: MAX_NAME,
    description: 'How the name begins, in any case.',
  })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_NAME)
  q?: string;
}

export const CREATE_PROJECT_EXAMPLES = {
  shop: {
    summary: 'A project with a budget',
    value: { name: NAME.example, requirements: REQUIREMENTS.example, budgetUsd: '5' },
  },
  report: {
    summary: 'Without one of its own',
    value: {
      name: 'Report on heat pumps',
      requirements: 'Compare three kinds of heat pumps for an old house: cost, noise, savings. Two pages.',
    },
  },
};

export const UPDATE_PROJECT_EXAMPLES = {
  raise: { summary: 'Raise the budget', value: { budgetUsd: '10' } },
  none: { summary: 'No budget of its own any more', value: { budgetUsd: null } },
  name: { summary: 'Another name', value: { name: 'A shop for soap' } },
};
