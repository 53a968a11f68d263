/** Answers that were given again: keys may ask for them, and their lines say what they saved. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { LINE_COLUMNS, prefixed } from './1790000003000-create-ledger/shared';
import { OWNER_FUNCTIONS } from './1790000008000-extend-ledger/agent-columns';

const SOURCES_BEFORE = `'provider', 'estimated', 'upper_bound'`;
const REUSED = `'cached', 'shared'`;

export class BookReusedAnswers1790000013000 implements MigrationInterface {
  name = 'BookReusedAnswers1790000013000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('alter table api_keys add column cache boolean not null default false');
    await queryRunner.query(`
      alter table usage_lines add column saved_pico_usd bigint, add column saved_tokens bigint,
        drop constraint usage_lines_usage_source_check,
        add constraint usage_lines_usage_source_check check (usage_source in (${SOURCES_BEFORE}, ${REUSED})),
        add constraint usage_lines_saved_check check (least(saved_pico_usd, saved_tokens) >= 0),
        add constraint usage_lines_reused_check check (
          usage_source not in (${REUSED}) or (cost_pico_usd is not null and cost_pico_usd = 0)
        )`);
    await queryRunner.query(
      `comment on column usage_lines.saved_pico_usd is 'What the answer would have cost, had it not been given again'`,
    );
    await queryRunner.query(
      'alter type ledger_line add attribute saved_pico_usd bigint, add attribute saved_tokens bigint',
    );
    for (const statement of bookingFunctions()) await queryRunner.query(withSavings(statement));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const statement of bookingFunctions()) await queryRunner.query(statement);
    await queryRunner.query(
      'alter type ledger_line drop attribute saved_pico_usd, drop attribute saved_tokens',
    );
    await queryRunner.query(
      `update usage_lines set usage_source = 'provider' where usage_source in (${REUSED})`,
    );
    await queryRunner.query(`
      alter table usage_lines drop constraint usage_lines_reused_check, drop constraint usage_lines_saved_check,
        drop constraint usage_lines_usage_source_check,
        add constraint usage_lines_usage_source_check check (usage_source in (${SOURCES_BEFORE})),
        drop column saved_tokens, drop column saved_pico_usd`);
    await queryRunner.query('alter table api_keys drop column cache');
  }
}

/** Those that copy all columns of a line, as they were before. */
function bookingFunctions(): readonly string[] {
  return OWNER_FUNCTIONS.filter((statement) => / function ledger_(close|book)\(/.test(statement));
}

function withSavings(statement: string): string {
  return statement
    .replaceAll(prefixed(LINE_COLUMNS, 'l'), prefixed(`${LINE_COLUMNS}, saved_pico_usd, saved_tokens`, 'l'))
    .replaceAll(LINE_COLUMNS, `${LINE_COLUMNS}, saved_pico_usd, saved_tokens`);
}
