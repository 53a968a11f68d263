import { ApiProperty } from '@nestjs/swagger';
import { BUDGET_MODES, BUDGET_PERIODS, formatUsd, toApiId } from '../../common/index';
import { type Budget, BUDGET_SCOPES } from '../../ledger/index';
import { percentSpent, remainingPicoUsd } from '../budget-figures';
import { scopeApiId } from '../scope-ids';

export const MANAGED_BY = {
  enum: ['admin', 'owner'],
  example: 'admin',
  description: 'Who set it last. The owner of a key cannot change what an administrator set on it.',
};

export class BudgetResponseDto {
  @ApiProperty({ example: 'bud_0192f0c0a1b27c3d8e4f5a6b7c8d9e0f' })
  id: string;

  @ApiProperty({ enum: BUDGET_SCOPES, example: 'global' })
  scope: string;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'Null for the scope `global`.' })
  scopeId: string | null;

  @ApiProperty({ enum: BUDGET_PERIODS, example: 'month' })
  period: string;

  @ApiProperty({ example: '100', description: 'Exact decimals, here and below.' })
  limitUsd: string;

  @ApiProperty({ enum: BUDGET_MODES, example: 'hard' })
  mode: string;

  @ApiProperty({ example: '12.00000024', description: 'Booked in the current period.' })
  spentUsd: string;

  @ApiProperty({ example: '0.03', description: 'Reserved for requests that run now.' })
  heldUsd: string;

  @ApiProperty({ example: '87.96999976', description: 'Never below 0.' })
  remainingUsd: string;

  @ApiProperty({
    type: Number,
    example: 12,
    description: 'Spent of the limit, rounded down to two decimals.',
  })
  percent: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    example: '2026-12-01T00:00:00.000Z',
    description: 'When the next period starts; null for the period `total`.',
  })
  resetsAt: string | null;

  @ApiProperty(MANAGED_BY)
  managedBy: string;

  @ApiProperty({ type: String, format: 'date-time', example: '2026-11-21T10:15:00.000Z' })
  createdAt: string;

  static of(this: void, budget: Budget): BudgetResponseDto {
    return Object.assign(new BudgetResponseDto(), {
      id: toApiId('bud', budget.id),
      scope: budget.scope,
      scopeId: scopeApiId(budget.scope, budget.scopeId),
      period: budget.period,
      limitUsd: formatUsd(budget.limitPicoUsd),
      mode: budget.mode,
      spentUsd: formatUsd(budget.spentPicoUsd),
      heldUsd: formatUsd(budget.heldPicoUsd),
      remainingUsd: formatUsd(remainingPicoUsd(budget)),
      percent: percentSpent(budget),
      resetsAt: budget.resetsAt?.toISOString() ?? null,
      managedBy: budget.managedBy,
      createdAt: budget.createdAt.toISOString(),
    });
  }
}

export class BudgetPageDto {
  @ApiProperty({ type: [BudgetResponseDto] })
  data: BudgetResponseDto[];

  @ApiProperty({ type: String, nullable: true, example: null })
  nextCursor: string | null;
}
