import type { MigrationInterface, QueryRunner } from 'typeorm';
import { LEDGER_LOCK } from './1790000003000-create-ledger/shared';

/**
 * Who last set a budget or a limit, a word to every process when limits come or go, and the end of budgets and limits
 * with the user or the key that they are set on.
 */
export class AddManagersOfAllowances1790000008500 implements MigrationInterface {
  name = 'AddManagersOfAllowances1790000008500';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['budgets', 'limits']) {
      await queryRunner.query(`
        alter table ${table} add column managed_by text not null default 'admin'
          constraint ${table}_managed_by_check check (managed_by in ('admin', 'owner'))`);
      await queryRunner.query(
        `comment on column ${table}.managed_by is 'Who last set it: the owner of a key may not change what an administrator set on it'`,
      );
    }
    await queryRunner.query(`
      create function limits_notify() returns trigger language plpgsql as $$
      begin
        perform pg_notify('lattice_limits', '');
        return null;
      end $$`);
    await queryRunner.query(`
      create trigger limits_notify after insert or delete on limits
      for each statement execute function limits_notify()`);

    // The books stand still meanwhile: admissions lock the counters in an order that this one does not keep.
    await queryRunner.query(`
      create function ledger_drop_allowances() returns trigger language plpgsql as $$
      begin
        if exists (select from budgets b where b.scope_id = old.id)
          or exists (select from limits l where l.scope_id = old.id) then
          perform pg_advisory_xact_lock(${LEDGER_LOCK});
          delete from budgets b where b.scope = tg_argv[0] and b.scope_id = old.id;
          delete from limits l where l.scope = tg_argv[0] and l.scope_id = old.id;
        end if;
        return null;
      end $$`);
    await queryRunner.query(`
      create trigger users_drop_allowances after delete on users
      for each row execute function ledger_drop_allowances('user')`);
    await queryRunner.query(`
      create trigger api_keys_drop_allowances after delete on api_keys
      for each row execute function ledger_drop_allowances('key')`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop trigger api_keys_drop_allowances on api_keys');
    await queryRunner.query('drop trigger users_drop_allowances on users');
    await queryRunner.query('drop function ledger_drop_allowances()');
    await queryRunner.query('drop trigger limits_notify on limits');
    await queryRunner.query('drop function limits_notify()');
    for (const table of ['limits', 'budgets']) {
      await queryRunner.query(`alter table ${table} drop column managed_by`);
    }
  }
}
