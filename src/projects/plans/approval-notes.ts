import { Injectable } from '@nestjs/common';
import { type RequestContext, type SqlExecutor, toApiId } from '../../common/index';
import { AuditSink } from '../../errors/index';
import { Outbox } from '../../events/index';
import type { Project } from '../project';
import { projectEvent } from '../project-events';
import type { Plan } from './plan';

/** Tells followers and the audit log of an approval. */
@Injectable()
export class ApprovalNotes {
  constructor(
    private readonly outbox: Outbox,
    private readonly audit: AuditSink,
  ) {}

  async approved(tx: SqlExecutor, ctx: RequestContext, project: Project, plan: Plan): Promise<void> {
    const planId = toApiId('pln', plan.id);
    const runId = project.runId === undefined ? null : toApiId('run', project.runId);
    const facts = { planId, runId, tasks: plan.tasks.length };
    const note = { what: `The plan was approved: ${plan.tasks.length} tasks`, percentDone: 0, about: facts };
    await this.outbox.append([projectEvent('project.approved', project, note)], tx);
    const after = { ...facts, version: plan.version, confirmedWarnings: plan.warnings.length };
    await this.audit.record(ctx, { action: 'plan.approve', resourceId: planId, after }, tx);
  }
}
