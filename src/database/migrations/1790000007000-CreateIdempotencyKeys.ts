import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * One row per owner and `Idempotency-Key`: running while `answer` is null, and then alive until `leased_until`.
 * The fingerprint is a keyed digest, because a request may hold a password, and says by which key; the answer is sealed, because it may hold
 * a token, and therefore gains nothing from compression.
 */
export class CreateIdempotencyKeys1790000007000 implements MigrationInterface {
  name = 'CreateIdempotencyKeys1790000007000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table idempotency_keys (
        owner text not null,
        key text not null,
        claim_id uuid not null,
        fingerprint bytea not null,
        fingerprint_key text not null,
        is_awaited boolean not null default false,
        leased_until timestamptz not null,
        answer bytea,
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        constraint idempotency_keys_pkey primary key (owner, key),
        constraint idempotency_keys_claim_id_key unique (claim_id)
      )`);
    await queryRunner.query('alter table idempotency_keys alter column answer set storage external');
    await queryRunner.query('create index idempotency_keys_expires_at_idx on idempotency_keys (expires_at)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table idempotency_keys');
  }
}
