import { Injectable } from '@nestjs/common';
import { type JsonObject, type SqlExecutor, toApiId } from '../../common/index';
import { Outbox } from '../../events/index';
import type { Project } from '../project';
import { type ProgressNote, projectEvent } from '../project-events';
import { lockProject, moveProject } from '../project-status';
import { ENDED_STATUSES } from '../runs/run';
import { ProjectsRepository } from '../projects.repository';
import type { PlanContent } from './plan.repository';
import { type OpenPlanning, PlansRepository } from './plan.repository';
import { readAnswer } from './plan-reading';
import { ASK, REPAIR } from './plan-rows';

/** Why there is no plan, for the owner of the project. */
export type PlanError = JsonObject & { readonly code: string; readonly message: string };

interface Opened {
  readonly planning: OpenPlanning;
  readonly project: Project;
  /** False: the project went on without it. Only its own row ends. */
  readonly isAwaited: boolean;
}

/** How plannings end: the plan, its project and the event in one transaction. One that has ended stays as it is. */
@Injectable()
export class PlanResults {
  constructor(
    private readonly plans: PlansRepository,
    private readonly projects: ProjectsRepository,
    private readonly outbox: Outbox,
  ) {}

  /** Makes the plan of the last answer that was kept, which was found usable. */
  async finish(tx: SqlExecutor, planId: string): Promise<void> {
    const open = await this.opened(tx, planId);
    if (!open) return;
    const { planning, project, isAwaited } = open;
    const content = contentOf(planning);
    await this.plans.fill(tx, planId, content, isAwaited ? 'ready' : 'superseded');
    if (!isAwaited) return;
    await this.plans.supersede(tx, planning.plan, ['ready']);
    const moved = await moveProject(tx, project, 'planned', { planId });
    const { tasks, warnings } = content;
    const what = `The plan has ${tasks.length} tasks${warnings.length > 0 ? ' and warnings' : ''}: approve it`;
    const about = { tasks: tasks.length, warnings: warnings.length };
    await this.tell(tx, 'project.planned', moved, { planId, what, about });
  }

  /** The project becomes what it was before; where its run had ended, with the reason of that. */
  async fail(tx: SqlExecutor, planId: string, error: PlanError): Promise<void> {
    const open = await this.opened(tx, planId);
    if (!open) return;
    const { planning, project, isAwaited } = open;
    await this.plans.fail(tx, planId, error);
    if (!isAwaited) return;
    const { code, message } = error;
    const failure = { code, message };
    const { from, fromReason } = planning.asked;
    const reason = ENDED_STATUSES.some((ended) => ended === from) ? fromReason : failure;
    const moved = await moveProject(tx, project, from, { reason });
    const what = `No plan came of it: ${message}`;
    await this.tell(tx, 'project.planning_failed', moved, { planId, what, about: { error: failure } });
  }

  private async opened(tx: SqlExecutor, planId: string): Promise<Opened | undefined> {
    const seen = await this.plans.open(planId, tx);
    const project = seen && (await lockProject(tx, seen.plan.projectId));
    // It may have ended while the lock was waited for.
    const planning = project && (await this.plans.open(planId, tx));
    if (!planning) return undefined;
    const [newest] = await this.plans.planningsOf(project.id, tx);
    return { planning, project, isAwaited: project.status === 'planning' && newest?.planId === planId };
  }

  private async tell(
    tx: SqlExecutor,
    type: string,
    project: Project,
    { planId, about, ...note }: ProgressNote & { readonly planId: string },
  ): Promise<void> {
    const costPicoUsd = await this.projects.spentOn(project.id, tx);
    const whole = { ...note, costPicoUsd, about: { planId: toApiId('pln', planId), ...about } };
    await this.outbox.append([projectEvent(type, project, whole)], tx);
  }
}

function contentOf({ answers, asked }: OpenPlanning): PlanContent {
  const answer = answers[REPAIR] ?? answers[ASK];
  const read = answer && readAnswer(answer, { maxTasks: asked.maxTasks });
  if (!read || 'problems' in read) throw new Error('An answer that was usable is not any more');
  return read.content;
}
