import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, Matches } from 'class-validator';
import {
  BUDGET_AMOUNT,
  BUDGET_MODES,
  BUDGET_PERIODS,
  type BudgetMode,
  type BudgetPeriod,
  IsBudgetAmount,
  PageQueryDto,
} from '../../common/index';
import { BUDGET_SCOPES, type BudgetScope } from '../../ledger/index';
import { SCOPE_ID } from '../scope-ids';

const AMOUNT = { ...BUDGET_AMOUNT, example: '100' };
const SCOPE_ID_RULE = { message: '$property must be an id such as usr_…, key_…, prj_… or run_…' };
const MODE = {
  enum: BUDGET_MODES,
  example: 'hard',
  description:
    '`hard`: the worst case is reserved before a call and nothing goes beyond it; `soft`: exceeding warns only.',
};

export class CreateBudgetRequestDto {
  @ApiProperty({ enum: BUDGET_SCOPES, example: 'global' })
  @IsIn(BUDGET_SCOPES)
  scope: BudgetScope;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    pattern: SCOPE_ID.source,
    description: 'The id of the user, key, project or run; none for the scope `global`.',
  })
  @IsOptional()
  @IsString()
  @Matches(SCOPE_ID, SCOPE_ID_RULE)
  scopeId?: string | null;

  @ApiProperty({
    enum: BUDGET_PERIODS,
    example: 'month',
    description: 'UTC. Days and months roll over by themselves.',
  })
  @IsIn(BUDGET_PERIODS)
  period: BudgetPeriod;

  @ApiProperty(AMOUNT)
  @IsBudgetAmount()
  limitUsd: string;

  @ApiProperty(MODE)
  @IsIn(BUDGET_MODES)
  mode: BudgetMode;
}

export class UpdateBudgetRequestDto {
  @ApiPropertyOptional(AMOUNT)
  @IsOptional()
  @IsBudgetAmount()
  limitUsd?: string;

  @ApiPropertyOptional(MODE)
  @IsOptional()
  @IsIn(BUDGET_MODES)
  mode?: BudgetMode;
}

export class ListBudgetsQueryDto extends PageQueryDto {
  @ApiPropertyOptional({ enum: BUDGET_SCOPES })
  @IsOptional()
  @IsIn(BUDGET_SCOPES)
  scope?: BudgetScope;

  @ApiPropertyOptional({
    type: String,
    pattern: SCOPE_ID.source,
    description: 'Of one user, key, project or run.',
  })
  @IsOptional()
  @IsString()
  @Matches(SCOPE_ID, SCOPE_ID_RULE)
  scopeId?: string;

  @ApiPropertyOptional({ enum: BUDGET_PERIODS })
  @IsOptional()
  @IsIn(BUDGET_PERIODS)
  period?: BudgetPeriod;
}

/** For Swagger UI: the first one works for an administrator as it stands. */
export const BUDGET_EXAMPLES = {
  global: {
    summary: 'The whole installation, per month (administrators)',
    value: { scope: 'global', period: 'month', limitUsd: '100', mode: 'hard' },
  },
  key: {
    summary: 'One of your API keys, per day: put its id in',
    value: {
      scope: 'key',
      scopeId: 'key_0192f0c1a2b37c4d8e5f60718293a4b5',
      period: 'day',
      limitUsd: '2.50',
      mode: 'hard',
    },
  },
};
