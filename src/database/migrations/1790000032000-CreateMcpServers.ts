import type { MigrationInterface, QueryRunner } from 'typeorm';

/** MCP servers of users. Every change is announced with the owner's id. */
export class CreateMcpServers1790000032000 implements MigrationInterface {
  name = 'CreateMcpServers1790000032000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table mcp_servers (
        id uuid not null constraint mcp_servers_pkey primary key,
        user_id uuid not null constraint mcp_servers_user_id_fkey references users (id) on delete cascade,
        name text not null,
        url text not null,
        header_names text[] not null,
        sealed bytea,
        version integer not null default 1,
        created_at timestamptz not null default clock_timestamp(),
        updated_at timestamptz not null default clock_timestamp(),
        constraint mcp_servers_user_id_name_key unique (user_id, name)
      )`);
    await queryRunner.query(
      `comment on column mcp_servers.sealed is 'headers with their values: AES-256-GCM, bound to owner and id'`,
    );
    await queryRunner.query('create index mcp_servers_user_id_idx on mcp_servers (user_id, id)');
    await queryRunner.query(`
      create function mcp_servers_notify() returns trigger language plpgsql as $$
      begin
        perform pg_notify('lattice_mcp_servers', (case tg_op when 'DELETE' then old else new end).user_id::text);
        return null;
      end $$`);
    await queryRunner.query(`
      create trigger mcp_servers_notify after insert or delete or update of version on mcp_servers
      for each row execute function mcp_servers_notify()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table mcp_servers');
    await queryRunner.query('drop function mcp_servers_notify()');
  }
}
