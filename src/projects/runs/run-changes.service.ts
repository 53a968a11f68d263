import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { noSuch } from '../../auth/index';
import { type RequestContext, type SqlExecutor, toApiId } from '../../common/index';
import { AuditSink } from '../../errors/index';
import { repeatOnConflict } from '../../ledger/index';
import { NEXT_STATUSES, PROJECT, type Project } from '../project';
import { lockProject } from '../project-status';
import { InvalidStatusError } from '../projects.errors';
import { WorkContexts } from '../work-context';
import { WAKE_DISPATCHERS } from './dispatch.repository';
import { RunEnds } from './run-ends';
import { type RunEvent, RunEvents } from './run-events';
import type { Run, RunStatus } from './run';
import { RunRepository } from './run.repository';

const SET_PAYER = 'update project_runs set key_id = $2 where id = $1';

/** A project that nobody else changes now, and its newest run. */
export interface Locked {
  readonly project: Project;
  readonly run?: Run;
}

/** What is told when a run takes another status. */
export type StatusNote = Pick<RunEvent, 'type' | 'what'>;

/** How people change runs: one transaction that holds the project, with event, audit and a word to the dispatchers. */
@Injectable()
export class RunChanges {
  constructor(
    private readonly database: DataSource,
    private readonly runs: RunRepository,
    private readonly ends: RunEnds,
    private readonly events: RunEvents,
    private readonly audit: AuditSink,
    private readonly contexts: WorkContexts,
  ) {}

  /** @param projectId UUID @throws NotFoundError */
  async change<T>(
    ctx: RequestContext,
    projectId: string,
    work: (tx: EntityManager, locked: Locked) => Promise<T>,
  ): Promise<T> {
    return await repeatOnConflict(() =>
      this.database.transaction(async (tx) => {
        const project = await lockProject(tx, projectId);
        if (!project || !isVisible(ctx, project)) throw noSuch(PROJECT);
        const run = project.runId === undefined ? undefined : await this.runs.find(ctx, project.runId, tx);
        const result = await work(tx, { project, run });
        await tx.query(WAKE_DISPATCHERS);
        return result;
      }),
    );
  }

  /** @throws InvalidStatusError when the project is in no status for it */
  async move(
    tx: SqlExecutor,
    ctx: RequestContext,
    locked: Locked & { readonly run: Run },
    note: StatusNote & { readonly to: RunStatus },
  ): Promise<void> {
    const { status } = locked.project;
    if (!NEXT_STATUSES[status].includes(note.to)) throw InvalidStatusError.ofProject(status, note.to);
    await this.set(tx, ctx, locked.run, note);
  }

  /** Whatever the status of the project is. */
  async set(
    tx: SqlExecutor,
    ctx: RequestContext,
    run: Run,
    { to, type, what }: StatusNote & { readonly to: RunStatus },
  ): Promise<void> {
    await this.ends.setStatus(tx, run.id, to);
    await this.events.append(tx, run.id, [{ type, what, actorId: ctx.principal.userId }]);
    await this.record(tx, ctx, { action: `project.${type.split('.')[1]}`, run, to });
  }

  /** What the run costs from now on is the caller's: by its key, when it is the owner. @throws ForbiddenError */
  async payBy(tx: SqlExecutor, ctx: RequestContext, run: Run): Promise<void> {
    const { keyId } = this.contexts.actorFor(ctx, run.userId);
    await tx.query(SET_PAYER, [run.id, keyId ?? null]);
  }

  /** Whether the caller may have something carried out that this user pays for. @throws ForbiddenError */
  checkCaller(ctx: RequestContext, ownerId: string): void {
    this.contexts.actorFor(ctx, ownerId);
  }

  async record(
    tx: SqlExecutor,
    ctx: RequestContext,
    { action, run, to }: { readonly action: string; readonly run: Run; readonly to: RunStatus },
  ): Promise<void> {
    const runId = toApiId('run', run.id);
    await this.audit.record(
      ctx,
      {
        action,
        resourceId: toApiId('prj', run.projectId),
        before: { runId, status: run.status },
        after: { runId, status: to },
      },
      tx,
    );
  }
}

function isVisible({ principal }: RequestContext, { userId }: Project): boolean {
  return principal.role === 'admin' || principal.userId === userId;
}
