import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateKeptThoughts1790000015000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table kept_thoughts (
        user_id uuid not null,
        call_key text not null,
        thought text not null,
        expires_at timestamptz not null,
        constraint pk_kept_thoughts primary key (user_id, call_key)
      )`);
    await runner.query('create index ix_kept_thoughts_expires_at on kept_thoughts (expires_at)');
    await runner.query(
      'create index ix_kept_thoughts_user_id_expires_at on kept_thoughts (user_id, expires_at)',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table kept_thoughts');
  }
}
