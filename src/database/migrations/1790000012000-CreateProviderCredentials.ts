import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Credentials of owners for providers, sealed. Every change that matters to a call raises the version and is announced. */
export class CreateProviderCredentials1790000012000 implements MigrationInterface {
  name = 'CreateProviderCredentials1790000012000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table provider_credentials (
        id uuid not null constraint provider_credentials_pkey primary key,
        user_id uuid not null
          constraint provider_credentials_user_id_fkey references users (id) on delete cascade,
        provider text not null,
        name text,
        hint text,
        sealed bytea not null,
        is_active boolean not null,
        version integer not null default 1,
        created_at timestamptz not null default clock_timestamp(),
        updated_at timestamptz not null default clock_timestamp(),
        last_used_at timestamptz
      )`);
    await queryRunner.query(
      `comment on column provider_credentials.sealed is 'AES-256-GCM, bound to owner, provider and id'`,
    );
    await queryRunner.query(
      'create unique index provider_credentials_active_key on provider_credentials (user_id, provider) where is_active',
    );
    await queryRunner.query(
      'create index provider_credentials_user_id_idx on provider_credentials (user_id, id)',
    );
    await queryRunner.query(`
      create function provider_credentials_notify() returns trigger language plpgsql as $$
      begin
        perform pg_notify('lattice_credentials', (case tg_op when 'DELETE' then old else new end).user_id::text);
        return null;
      end $$`);
    await queryRunner.query(`
      create trigger provider_credentials_notify after insert or delete or update of version on provider_credentials
      for each row execute function provider_credentials_notify()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table provider_credentials');
    await queryRunner.query('drop function provider_credentials_notify()');
  }
}
