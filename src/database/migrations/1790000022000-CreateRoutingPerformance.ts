import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The tables of measured speed and failures that decisions were made with. */
export class CreateRoutingPerformance1790000022000 implements MigrationInterface {
  name = 'CreateRoutingPerformance1790000022000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table routing_performance (
        version text not null constraint routing_performance_pkey primary key,
        content json not null,
        created_at timestamptz not null default now(),
        used_at timestamptz not null default now()
      )`);
    await queryRunner.query(
      `comment on column routing_performance.used_at is 'When it was measured last; the newest is in force'`,
    );
    await queryRunner.query('create index routing_performance_used_at_idx on routing_performance (used_at)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table routing_performance');
  }
}
