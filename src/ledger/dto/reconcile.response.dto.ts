import { ApiProperty } from '@nestjs/swagger';
import { BUDGET_PERIODS } from '../../common/index';
import { BUDGET_SCOPES } from '../ledger.scopes';

export class LedgerDifferenceDto {
  @ApiProperty({ enum: ['spent', 'held', 'running'] })
  counter: 'spent' | 'held' | 'running';

  @ApiProperty({ example: 'bud_0192f0c0a1b27c3d8e4f5a6b7c8d9e0f', description: 'The budget, or the limit.' })
  id: string;

  @ApiProperty({ enum: BUDGET_SCOPES })
  scope: string;

  @ApiProperty({ type: String, nullable: true, example: 'usr_0192f0c0a1b27c3d8e4f5a6b7c8d9e0f' })
  scopeId: string | null;

  @ApiProperty({ enum: BUDGET_PERIODS, nullable: true })
  period: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  periodStart: string | null;

  @ApiProperty({
    type: String,
    example: '1.5',
    description: 'US dollars; for `running` a number of requests.',
  })
  counted: string;

  @ApiProperty({ type: String, example: '1.25', description: 'What the lines and the open holds say.' })
  actual: string;
}

export class ReconcileResponseDto {
  @ApiProperty({ example: true, description: 'No counter differs.' })
  isBalanced: boolean;

  @ApiProperty({ example: 12 })
  checkedBudgets: number;

  @ApiProperty({ type: [LedgerDifferenceDto] })
  differences: LedgerDifferenceDto[];

  @ApiProperty({ type: String, format: 'date-time' })
  reconciledAt: string;
}
