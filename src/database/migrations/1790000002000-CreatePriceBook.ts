import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreatePriceBook1790000002000 implements MigrationInterface {
  name = 'CreatePriceBook1790000002000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE price_versions (
        version serial,
        model text NOT NULL,
        prices jsonb NOT NULL,
        source text NOT NULL,
        content_hash text NOT NULL,
        valid_from timestamptz NOT NULL,
        valid_to timestamptz,
        CONSTRAINT pk_price_versions PRIMARY KEY (version),
        CONSTRAINT uq_price_versions_content UNIQUE (model, content_hash, valid_from),
        CONSTRAINT ck_price_versions_interval CHECK (valid_to >= valid_from)
      )`);
    await queryRunner.query(
      'CREATE UNIQUE INDEX uq_price_versions_current ON price_versions (model) WHERE valid_to IS NULL',
    );
    await queryRunner.query('CREATE INDEX ix_price_versions_model ON price_versions (model, version)');
    await queryRunner.query(`
      CREATE TABLE price_overrides (
        model text NOT NULL,
        prices jsonb NOT NULL,
        set_by uuid NOT NULL,
        set_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_price_overrides PRIMARY KEY (model)
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE price_overrides');
    await queryRunner.query('DROP TABLE price_versions');
  }
}
