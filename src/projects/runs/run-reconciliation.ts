import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppLogger } from '../../observability/index';
import { LOCK_PROJECT } from '../tasks/task-transition-sql';
import { RunEnds } from './run-ends';
import { RunEvents } from './run-events';

/** Runs whose counter does not say what their tasks say. */
const MISCOUNTED = `
  select r.id, r.project_id as "projectId" from project_runs r
  where r.status in ('running', 'paused')
    and not exists (select from tasks t where t.run_id = r.id
      and t.state in ('blocked', 'ready', 'running', 'waiting'))`;
const RECOUNT = `
  update project_runs r set tasks_done =
    (select count(*) from tasks t where t.run_id = r.id and t.state in ('succeeded', 'failed', 'cancelled', 'skipped'))
  where r.id = $1`;

/** Ends runs that have no open task and did not notice. */
@Injectable()
export class RunReconciliation {
  constructor(
    private readonly database: DataSource,
    private readonly ends: RunEnds,
    private readonly events: RunEvents,
    private readonly logger: AppLogger,
  ) {}

  async endWhatHasEnded(): Promise<void> {
    const runs = await this.database.query<{ id: string; projectId: string }[]>(MISCOUNTED);
    for (const { id, projectId } of runs) {
      await this.database.transaction(async (tx) => {
        await tx.query(LOCK_PROJECT, [projectId]);
        await tx.query(RECOUNT, [id]);
        const end = await this.ends.count(tx, id, 0);
        if (!end) return;
        this.logger.warn({ event: 'run_reconciled', runId: id });
        await this.events.append(tx, id, [end]);
      });
    }
  }
}
