import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What `POST /v1/responses` keeps. `turn` holds what the request added to the conversation and what was answered,
 * `answer` the rest of the response. Both are sealed, because they hold prompts, and therefore gain nothing from
 * compression. `previous_id` is no foreign key: a response may be deleted although others go on from it. Nor is
 * `user_id`: it would lock the owner's row in every request, and what is left behind goes with time.
 */
export class CreateResponses1790000010000 implements MigrationInterface {
  name = 'CreateResponses1790000010000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table responses (
        id uuid not null,
        user_id uuid not null,
        previous_id uuid,
        turn bytea not null,
        answer bytea not null,
        created_at timestamptz not null default now(),
        constraint responses_pkey primary key (id)
      )`);
    await queryRunner.query(`
      alter table responses
        alter column turn set storage external,
        alter column answer set storage external`);
    await queryRunner.query('create index responses_created_at_idx on responses (created_at)');
    await queryRunner.query(
      'create index responses_previous_id_idx on responses (previous_id) where previous_id is not null',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table responses');
  }
}
