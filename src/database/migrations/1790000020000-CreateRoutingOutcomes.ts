/** What is known of how well models did, and the versions of what was learned from it. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateRoutingOutcomes1790000020000 implements MigrationInterface {
  name = 'CreateRoutingOutcomes1790000020000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table routing_outcomes (
        id uuid not null constraint routing_outcomes_pkey primary key,
        user_id uuid not null,
        source text not null,
        model text not null,
        task_type text not null,
        score double precision not null,
        cost_pico_usd bigint,
        prompt_tokens bigint,
        completion_tokens bigint,
        pool text,
        dataset text,
        prompt_id text,
        request_id uuid,
        comment text,
        profile json,
        same_as text constraint routing_outcomes_same_as_key unique,
        created_at timestamptz not null default clock_timestamp(),
        constraint routing_outcomes_source_check check (source in ('api', 'csv', 'feedback')),
        constraint routing_outcomes_score_check check (score between 0 and 1),
        constraint routing_outcomes_amounts_check check (
          least(cost_pico_usd, prompt_tokens, completion_tokens) >= 0
        )
      )`);
    await queryRunner.query(
      `comment on column routing_outcomes.same_as is 'Digest of what it is the outcome of: reported again, it replaces'`,
    );
    await queryRunner.query('create index routing_outcomes_user_id_idx on routing_outcomes (user_id, id)');
    await queryRunner.query(`
      create table capability_versions (
        version bigint generated always as identity constraint capability_versions_pkey primary key,
        created_at timestamptz not null default clock_timestamp(),
        created_by uuid,
        reason text not null,
        outcomes json not null,
        content json not null,
        used_until timestamptz,
        constraint capability_versions_reason_check check (
          reason in ('outcomes', 'import', 'removal', 'feedback', 'catalog', 'repair')
        )
      )`);
    await queryRunner.query(
      `comment on column capability_versions.used_until is 'When routing stopped using it; null: the one in force'`,
    );
    await queryRunner.query(`
      create table capability_state (
        is_only boolean not null default true constraint capability_state_pkey primary key,
        revision bigint not null default 0,
        learned_revision bigint not null default 0,
        learned_priors text,
        pinned_version text,
        pinned_by uuid,
        pinned_at timestamptz,
        constraint capability_state_is_only_check check (is_only)
      )`);
    await queryRunner.query(
      `comment on column capability_state.revision is 'Raised by the number of outcomes that were changed, in the same transaction'`,
    );
    await queryRunner.query('insert into capability_state default values');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table capability_state');
    await queryRunner.query('drop table capability_versions');
    await queryRunner.query('drop table routing_outcomes');
  }
}
