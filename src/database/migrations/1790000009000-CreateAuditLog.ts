import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateAuditLog1790000009000 implements MigrationInterface {
  name = 'CreateAuditLog1790000009000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table audit_entries (
        position bigint generated always as identity constraint audit_entries_pkey primary key,
        id uuid not null constraint audit_entries_id_key unique,
        at timestamptz not null default clock_timestamp(),
        request_id uuid not null,
        actor_id uuid not null,
        actor_key_id uuid,
        actor_role text not null,
        action text not null,
        resource_id text,
        before json,
        after json
      )`);
    await queryRunner.query('create index audit_entries_actor_id_idx on audit_entries (actor_id, position)');
    // For prefixes (`user.*`), which other collations than C do not sort together.
    await queryRunner.query(
      'create index audit_entries_action_idx on audit_entries (action text_pattern_ops, position)',
    );
    await queryRunner.query('create index audit_entries_request_id_idx on audit_entries (request_id)');
    await queryRunner.query('create index audit_entries_at_idx on audit_entries (at)');
    await queryRunner.query(
      'create index audit_entries_resource_id_idx on audit_entries (resource_id, position)',
    );
    await queryRunner.query(`
      create function audit_refuse_change() returns trigger language plpgsql as $$
      begin
        raise exception 'the audit log is append-only: % refused', tg_op using errcode = 'insufficient_privilege';
      end $$`);
    await queryRunner.query(`
      create trigger audit_entries_append_only before update or delete or truncate on audit_entries
      for each statement execute function audit_refuse_change()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table audit_entries');
    await queryRunner.query('drop function audit_refuse_change()');
  }
}
