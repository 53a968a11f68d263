/**
 * The books: usage lines, holds, budgets, limits, and the functions that are the only writers of their counters.
 *
 * Every function that moves money takes its locks in one order, so that no two can wait for each other:
 * the ledger lock (shared), holds by request id, usage lines, budget periods by id, limit counters by id.
 * Creating a budget or a limit takes the ledger lock exclusively: it counts what is already spent and running.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ADMIT_FUNCTIONS } from './1790000003000-create-ledger/admit-functions';
import { ADVANCE_FUNCTIONS } from './1790000003000-create-ledger/advance-functions';
import { BOOK_FUNCTIONS } from './1790000003000-create-ledger/book-functions';
import { COUNTER_FUNCTIONS } from './1790000003000-create-ledger/counter-functions';
import { MANAGEMENT_FUNCTIONS } from './1790000003000-create-ledger/management-functions';
import { PERIOD_FUNCTIONS } from './1790000003000-create-ledger/period-functions';
import { REAPER_FUNCTIONS } from './1790000003000-create-ledger/reaper-functions';
import { TABLES } from './1790000003000-create-ledger/tables';
import { TURN_FUNCTIONS } from './1790000003000-create-ledger/turn-functions';
import { TYPES } from './1790000003000-create-ledger/types';

export class CreateLedger1790000003000 implements MigrationInterface {
  name = 'CreateLedger1790000003000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const statements = [
      ...TABLES,
      ...TYPES,
      ...PERIOD_FUNCTIONS,
      ...COUNTER_FUNCTIONS,
      ...ADMIT_FUNCTIONS,
      ...TURN_FUNCTIONS,
      ...BOOK_FUNCTIONS,
      ...ADVANCE_FUNCTIONS,
      ...REAPER_FUNCTIONS,
      ...MANAGEMENT_FUNCTIONS,
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop view ledger_differences');
    await queryRunner.query(`drop function ledger_create_limit, ledger_create_budget, ledger_reap, ledger_advance,
      ledger_advance_one, ledger_book, ledger_periods_at, ledger_turn, ledger_close, ledger_judge,
      ledger_exceeded, ledger_budget_refusal, ledger_remaining, ledger_limit_refusal,
      ledger_hold, ledger_ask, ledger_resolve, ledger_lock, ledger_apply, ledger_open_periods, ledger_period_end,
      ledger_period_start`);
    await queryRunner.query('drop type ledger_move, ledger_line, ledger_request');
    await queryRunner.query(
      'drop table decisions, usage_lines, holds, limit_counters, limits, budget_periods, budgets, processes',
    );
  }
}
