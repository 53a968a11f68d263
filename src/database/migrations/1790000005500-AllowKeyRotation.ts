import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AllowKeyRotation1790000005500 implements MigrationInterface {
  name = 'AllowKeyRotation1790000005500';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      alter table api_keys
        add column previous_key_hash text constraint api_keys_previous_key_hash_key unique,
        add column previous_key_until timestamptz`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'alter table api_keys drop column previous_key_hash, drop column previous_key_until',
    );
  }
}
