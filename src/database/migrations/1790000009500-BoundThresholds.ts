import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who moves limits up and down, or makes budgets anew, passes thresholds each time: 30 a day and scope are written. */
export class BoundThresholds1790000009500 implements MigrationInterface {
  name = 'BoundThresholds1790000009500';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'create index budget_thresholds_scope_id_passed_at_idx on budget_thresholds (scope_id, passed_at)',
    );
    await queryRunner.query(`
      create function ledger_bound_thresholds() returns trigger language plpgsql as $$
      begin
        if (select count(*) from budget_thresholds t
            where t.scope_id = new.scope_id and t.scope = new.scope
              and t.passed_at > new.passed_at - interval '1 day') >= 30 then
          return null;
        end if;
        return new;
      end $$`);
    await queryRunner.query(`
      create trigger budget_thresholds_bound before insert on budget_thresholds
      for each row execute function ledger_bound_thresholds()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop trigger budget_thresholds_bound on budget_thresholds');
    await queryRunner.query('drop function ledger_bound_thresholds()');
    await queryRunner.query('drop index budget_thresholds_scope_id_passed_at_idx');
  }
}
