import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateUsersAndKeys1790000001000 implements MigrationInterface {
  name = 'CreateUsersAndKeys1790000001000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table users (
        id uuid not null constraint users_pkey primary key,
        email text not null constraint users_email_key unique,
        name text not null,
        password_hash text not null,
        role text not null,
        disabled_at timestamptz,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        constraint users_email_check check (email = lower(email)),
        constraint users_role_check check (role in ('admin', 'operator', 'viewer'))
      )`);
    await queryRunner.query(`
      create table api_keys (
        id uuid not null constraint api_keys_pkey primary key,
        user_id uuid not null constraint api_keys_user_id_fkey references users (id) on delete cascade,
        name text not null,
        prefix text not null,
        key_hash text not null constraint api_keys_key_hash_key unique,
        scopes text[],
        allowed_models text[],
        expires_at timestamptz,
        revoked_at timestamptz,
        last_used_at timestamptz,
        created_at timestamptz not null default now()
      )`);
    await queryRunner.query('create index api_keys_user_id_idx on api_keys (user_id, id)');
    await queryRunner.query(`
      create table refresh_tokens (
        id uuid not null constraint refresh_tokens_pkey primary key,
        user_id uuid not null constraint refresh_tokens_user_id_fkey references users (id) on delete cascade,
        family_id uuid not null,
        token_hash text not null constraint refresh_tokens_token_hash_key unique,
        expires_at timestamptz not null,
        used_at timestamptz,
        revoked_at timestamptz,
        created_at timestamptz not null default now()
      )`);
    await queryRunner.query('create index refresh_tokens_user_id_idx on refresh_tokens (user_id)');
    await queryRunner.query('create index refresh_tokens_family_id_idx on refresh_tokens (family_id)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table refresh_tokens');
    await queryRunner.query('drop table api_keys');
    await queryRunner.query('drop table users');
  }
}
