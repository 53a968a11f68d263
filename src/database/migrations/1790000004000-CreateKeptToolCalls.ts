import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateKeptToolCalls1790000004000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table kept_tool_calls (
        user_id uuid not null,
        client_call_id text not null,
        kept jsonb not null,
        expires_at timestamptz not null,
        constraint pk_kept_tool_calls primary key (user_id, client_call_id)
      )`);
    await runner.query('create index ix_kept_tool_calls_expires_at on kept_tool_calls (expires_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table kept_tool_calls');
  }
}
