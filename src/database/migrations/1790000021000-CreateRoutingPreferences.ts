import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How owners want to be routed. Every change is announced. */
export class CreateRoutingPreferences1790000021000 implements MigrationInterface {
  name = 'CreateRoutingPreferences1790000021000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table routing_preferences (
        user_id uuid not null constraint routing_preferences_pkey primary key
          constraint routing_preferences_user_id_fkey references users (id) on delete cascade,
        strategies json not null,
        quality double precision,
        updated_at timestamptz not null default clock_timestamp(),
        constraint routing_preferences_quality_check check (quality > 0 and quality <= 1)
      )`);
    await queryRunner.query(
      `comment on column routing_preferences.strategies is 'Weights of factors by strategy, in place of those of routing/weights.yaml'`,
    );
    await queryRunner.query(`
      create function routing_preferences_notify() returns trigger language plpgsql as $$
      begin
        perform pg_notify('lattice_preferences', '');
        return null;
      end $$`);
    await queryRunner.query(`
      create trigger routing_preferences_notify after insert or update or delete on routing_preferences
      for each statement execute function routing_preferences_notify()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table routing_preferences');
    await queryRunner.query('drop function routing_preferences_notify()');
  }
}
