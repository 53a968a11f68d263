import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ExtendAccounts1790000005000 implements MigrationInterface {
  name = 'ExtendAccounts1790000005000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table login_sessions (
        id uuid not null constraint login_sessions_pkey primary key,
        user_id uuid not null constraint login_sessions_user_id_fkey references users (id) on delete cascade,
        expires_at timestamptz not null,
        revoked_at timestamptz,
        exchanges integer not null default 0,
        exchanges_since timestamptz not null default now(),
        created_at timestamptz not null default now()
      )`);
    await queryRunner.query('create index login_sessions_user_id_idx on login_sessions (user_id)');
    await queryRunner.query('create index login_sessions_expires_at_idx on login_sessions (expires_at)');
    await queryRunner.query(`
      insert into login_sessions (id, user_id, expires_at, revoked_at, created_at)
      select family_id, user_id, max(expires_at), max(revoked_at), min(created_at)
      from refresh_tokens group by family_id, user_id`);
    await queryRunner.query(`
      alter table refresh_tokens drop column revoked_at, add constraint refresh_tokens_family_id_fkey
        foreign key (family_id) references login_sessions (id) on delete cascade`);
    await queryRunner.query('create index refresh_tokens_expires_at_idx on refresh_tokens (expires_at)');

    await queryRunner.query(`
      create table revoked_tokens (
        token_id uuid not null constraint revoked_tokens_pkey primary key,
        expires_at timestamptz not null
      )`);
    await queryRunner.query('create index revoked_tokens_expires_at_idx on revoked_tokens (expires_at)');

    await queryRunner.query(`
      create table invites (
        id uuid not null constraint invites_pkey primary key,
        token_hash text not null constraint invites_token_hash_key unique,
        email text,
        role text not null,
        created_by uuid constraint invites_created_by_fkey references users (id) on delete set null,
        expires_at timestamptz not null,
        used_at timestamptz,
        revoked_at timestamptz,
        created_at timestamptz not null default now(),
        constraint invites_email_check check (email = lower(email)),
        constraint invites_role_check check (role in ('admin', 'operator', 'viewer'))
      )`);
    await queryRunner.query('create index invites_created_by_idx on invites (created_by)');

    await this.createAttemptWindows(queryRunner);
    await this.createKnownVisitors(queryRunner);
  }

  /** From where an account was logged in to lately; both are digests. */
  private async createKnownVisitors(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table known_visitors (
        account text not null,
        visitor text not null,
        known_until timestamptz not null,
        constraint known_visitors_pkey primary key (account, visitor)
      )`);
    await queryRunner.query('create index known_visitors_known_until_idx on known_visitors (known_until)');
  }

  /**
   * A window starts with the first attempt in it. Rows are always locked in the order of their bucket, so that no two
   * callers wait for each other.
   */
  private async createAttemptWindows(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table attempt_windows (
        bucket text not null constraint attempt_windows_pkey primary key,
        ends_at timestamptz not null,
        attempts integer not null
      )`);
    await queryRunner.query('create index attempt_windows_ends_at_idx on attempt_windows (ends_at)');
    // The end of the window of a bucket that is full; null: the attempt is counted in every bucket.
    await queryRunner.query(`
      create function count_attempt(p_buckets text[], p_limits integer[], p_window interval)
      returns timestamptz language plpgsql as $$
      declare
        v_now timestamptz := clock_timestamp();
        v_ends_at timestamptz := v_now + p_window;
        v_full_until timestamptz;
        v_asked record;
        v_window attempt_windows;
      begin
        -- A refusal writes nothing, so that a flood of them leaves nothing behind.
        select max(w.ends_at) into v_full_until
        from unnest(p_buckets, p_limits) as a (bucket, max) join attempt_windows w on w.bucket = a.bucket
        where w.ends_at > v_now and w.attempts >= a.max;
        if v_full_until is not null then
          return v_full_until;
        end if;
        for v_asked in
          select a.bucket, a.max from unnest(p_buckets, p_limits) as a (bucket, max) order by a.bucket
        loop
          insert into attempt_windows as w (bucket, ends_at, attempts) values (v_asked.bucket, v_ends_at, 0)
          on conflict (bucket) do update set
            ends_at = case when w.ends_at > v_now then w.ends_at else excluded.ends_at end,
            attempts = case when w.ends_at > v_now then w.attempts else 0 end
          returning w.* into v_window;
          if v_window.attempts >= v_asked.max then
            v_full_until := greatest(v_full_until, v_window.ends_at);
          end if;
        end loop;
        if v_full_until is null then
          update attempt_windows set attempts = attempts + 1 where bucket = any (p_buckets);
        end if;
        return v_full_until;
      end $$`);
    // Adds what a process has counted by itself, and says how each bucket stands then.
    await queryRunner.query(`
      create function add_attempts(p_buckets text[], p_counts integer[], p_window interval)
      returns setof attempt_windows language sql as $$
        insert into attempt_windows as w (bucket, ends_at, attempts)
        select a.bucket, now() + p_window, a.count
        from unnest(p_buckets, p_counts) as a (bucket, count) order by a.bucket
        on conflict (bucket) do update set
          ends_at = case when w.ends_at > now() then w.ends_at else excluded.ends_at end,
          attempts = case when w.ends_at > now() then w.attempts else 0 end + excluded.attempts
        returning w.*
      $$`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table known_visitors');
    await queryRunner.query('drop function add_attempts(text[], integer[], interval)');
    await queryRunner.query('drop function count_attempt(text[], integer[], interval)');
    await queryRunner.query('drop table attempt_windows');
    await queryRunner.query('drop table invites');
    await queryRunner.query('drop table revoked_tokens');
    await queryRunner.query('drop index refresh_tokens_expires_at_idx');
    await queryRunner.query(`
      alter table refresh_tokens drop constraint refresh_tokens_family_id_fkey, add column revoked_at timestamptz`);
    await queryRunner.query(`
      update refresh_tokens t set revoked_at = s.revoked_at from login_sessions s where s.id = t.family_id`);
    await queryRunner.query('drop table login_sessions');
  }
}
