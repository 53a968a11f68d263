import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What an answer is worth to an owner, beside their quality target. */
export class AddAnswerWorthPreference1790000030000 implements MigrationInterface {
  name = 'AddAnswerWorthPreference1790000030000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      alter table routing_preferences add column answer_worth_usd double precision,
        add constraint routing_preferences_answer_worth_usd_check check (answer_worth_usd > 0)`);
    await queryRunner.query(
      `comment on column routing_preferences.answer_worth_usd is 'US dollars that an answer is worth which fully succeeds; weighed, never booked'`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('alter table routing_preferences drop column answer_worth_usd');
  }
}
