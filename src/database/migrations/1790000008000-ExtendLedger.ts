/**
 * The books grow: which agent worked, what is left of request windows, requests that are only counted, limits by
 * default, thresholds of budgets, and who set what. The order of locks is the one of CreateLedger; rows of thresholds
 * come last.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ADMIT_FUNCTIONS } from './1790000003000-create-ledger/admit-functions';
import { BOOK_FUNCTIONS } from './1790000003000-create-ledger/book-functions';
import { COUNTER_FUNCTIONS } from './1790000003000-create-ledger/counter-functions';
import { MANAGEMENT_FUNCTIONS } from './1790000003000-create-ledger/management-functions';
import { REAPER_FUNCTIONS } from './1790000003000-create-ledger/reaper-functions';
import { TURN_FUNCTIONS } from './1790000003000-create-ledger/turn-functions';
import { AGENT_COLUMNS, OWNER_FUNCTIONS, USAGE_INDEXES } from './1790000008000-extend-ledger/agent-columns';
import { BOUNDS, REPLACED_BOUND_FUNCTIONS } from './1790000008000-extend-ledger/bounds';
import { DEFAULT_LIMITS } from './1790000008000-extend-ledger/default-limits';
import { THRESHOLD_FUNCTIONS, THRESHOLD_TABLES } from './1790000008000-extend-ledger/threshold-functions';
import { WINDOW_FUNCTIONS } from './1790000008000-extend-ledger/window-functions';

const FUNCTION = /^create function (\w+)/;

export class ExtendLedger1790000008000 implements MigrationInterface {
  name = 'ExtendLedger1790000008000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const statements = [
      ...AGENT_COLUMNS,
      ...USAGE_INDEXES,
      ...OWNER_FUNCTIONS,
      ...WINDOW_FUNCTIONS,
      ...THRESHOLD_TABLES,
      ...THRESHOLD_FUNCTIONS,
      ...DEFAULT_LIMITS,
      ...BOUNDS,
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop trigger api_keys_drop_bounds on api_keys');
    await queryRunner.query('drop trigger users_drop_bounds on users');
    await queryRunner.query('drop trigger limits_notify on limits');
    await queryRunner.query(
      `drop function ledger_drop_bounds, limits_notify, ${REPLACED_BOUND_FUNCTIONS.join(', ')}`,
    );
    await queryRunner.query('delete from limits where is_default');
    await queryRunner.query('drop trigger limits_bring_default_back on limits');
    await queryRunner.query('drop trigger users_add_default_limit on users');
    await queryRunner.query('drop trigger budgets_rearm_thresholds on budgets');
    await queryRunner.query('drop trigger budget_periods_pass_first_thresholds on budget_periods');
    await queryRunner.query('drop trigger budget_periods_arm_thresholds on budget_periods');
    for (const statement of replacedFunctions()) {
      await queryRunner.query(statement.replace('create function', 'create or replace function'));
    }
    await queryRunner.query(`drop function ledger_bring_default_limit_back, ledger_default_limit_of_user,
      ledger_set_default_limits, ledger_add_default_limits, ledger_rearm_thresholds,
      ledger_pass_first_thresholds, ledger_arm_thresholds, ledger_pass_thresholds, ledger_passed_threshold,
      ledger_next_threshold, ledger_threshold, ledger_count, ledger_windows`);
    await queryRunner.query('drop table limit_defaults, budget_thresholds');
    await queryRunner.query('alter table limits drop column managed_by, drop column is_default');
    await queryRunner.query('alter table budgets drop column managed_by');
    await queryRunner.query(
      'alter table budget_periods drop column next_threshold_pico, drop column threshold_passed',
    );
    await queryRunner.query(
      'drop index usage_lines_session_id_admitted_at_idx, usage_lines_task_id_admitted_at_idx',
    );
    await queryRunner.query('alter type ledger_request drop attribute agent');
    await queryRunner.query('alter table usage_lines drop column agent');
    await queryRunner.query('alter table holds drop column agent');
  }
}

/** The text that these functions had before. */
function replacedFunctions(): readonly string[] {
  const replaced = new Set([
    ...REPLACED_BOUND_FUNCTIONS,
    ...[...OWNER_FUNCTIONS, ...WINDOW_FUNCTIONS, ...THRESHOLD_FUNCTIONS].flatMap(
      (statement) => /^create or replace function (\w+)/.exec(statement)?.[1] ?? [],
    ),
  ]);
  const before = [
    ...ADMIT_FUNCTIONS,
    ...TURN_FUNCTIONS,
    ...BOOK_FUNCTIONS,
    ...COUNTER_FUNCTIONS,
    ...REAPER_FUNCTIONS,
    ...MANAGEMENT_FUNCTIONS,
  ];
  return before.filter((statement) => replaced.has(FUNCTION.exec(statement)?.[1] ?? ''));
}
