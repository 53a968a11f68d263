import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppConfig } from '../config/index';
import { RowCleanup, rowRemoval } from '../database/index';

/** Tables that DBOS keeps apart from the runs, without foreign keys, and ours. */
const REMOVAL = `
  with gone as materialized (
    select workflow_uuid as id from dbos.workflow_status
    where completed_at < (extract(epoch from now()) - $2 * 3600) * 1000
      and status in ('SUCCESS', 'ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED')
    order by completed_at limit $1 for update skip locked),
  inputs as (delete from dbos.workflow_input where workflow_uuid in (select id from gone)),
  outputs as (delete from dbos.workflow_output where workflow_uuid in (select id from gone)),
  steps as (delete from dbos.operation_outputs where workflow_uuid in (select id from gone)),
  writes as (delete from durable_writes where run_id in (select id from gone))
  delete from dbos.workflow_status where workflow_uuid in (select id from gone)`;
const DEAD_NODE = `beat_at < now() - interval '1 day'`;

/** Forgets runs that ended long ago, and processes. */
@Injectable()
export class DurableCleanup extends RowCleanup {
  constructor(database: DataSource, config: AppConfig) {
    super([
      async (limit) => {
        const hours = config.vars.DURABLE_RETENTION_HOURS;
        const [, count] = await database.query<[unknown, number]>(REMOVAL, [limit, hours]);
        return count;
      },
      rowRemoval(database, 'durable_nodes', 'id', DEAD_NODE),
    ]);
  }
}
