import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Experiments with routing. Every change is announced, so that all processes split their traffic in the same way. */
export class CreateExperiments1790000023000 implements MigrationInterface {
  name = 'CreateExperiments1790000023000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table routing_experiments (
        id uuid not null constraint routing_experiments_pkey primary key,
        name text not null,
        strategy text not null,
        arms json not null,
        task_types text[],
        sticky_by text not null,
        share double precision not null,
        status text not null,
        created_at timestamptz not null default clock_timestamp(),
        updated_at timestamptz not null default clock_timestamp(),
        started_at timestamptz,
        stopped_at timestamptz,
        constraint routing_experiments_strategy_check check (strategy in ('auto', 'cheap', 'best', 'fast')),
        constraint routing_experiments_arms_check check (json_array_length(arms) between 2 and 5),
        constraint routing_experiments_task_types_check check (cardinality(task_types) > 0),
        constraint routing_experiments_sticky_by_check check (sticky_by in ('key', 'user', 'request')),
        constraint routing_experiments_share_check check (share between 0 and 1),
        constraint routing_experiments_status_check check (status in ('draft', 'running', 'stopped')),
        constraint routing_experiments_started_at_check check ((status = 'draft') = (started_at is null)),
        constraint routing_experiments_stopped_at_check check ((status = 'stopped') = (stopped_at is not null))
      )`);
    await queryRunner.query(
      `comment on column routing_experiments.strategy is 'Whose requests are split; the arms say where they go'`,
    );
    await queryRunner.query(
      `create unique index routing_experiments_running_key on routing_experiments (strategy) where status = 'running'`,
    );
    await queryRunner.query(`
      create function routing_experiments_notify() returns trigger language plpgsql as $$
      begin
        perform pg_notify('lattice_experiments', '');
        return null;
      end $$`);
    await queryRunner.query(`
      create trigger routing_experiments_notify after insert or update or delete on routing_experiments
      for each statement execute function routing_experiments_notify()`);
    // Results look for the feedback on the requests that took part.
    await queryRunner.query(
      `create index routing_outcomes_feedback_idx on routing_outcomes (request_id) where source = 'feedback'`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop index routing_outcomes_feedback_idx');
    await queryRunner.query('drop table routing_experiments');
    await queryRunner.query('drop function routing_experiments_notify()');
  }
}
