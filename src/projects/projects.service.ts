import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { noSuch, ownedId } from '../auth/index';
import { formatUsd, type PicoUsd, type RequestContext, toApiId } from '../common/index';
import { AuditSink, ConflictError, ValidationError } from '../errors/index';
import { repeatOnConflict } from '../ledger/index';
import { PROJECT, PROJECT_STATUSES, type Project, type ProjectStatus } from './project';
import { ProjectBudgets } from './project-budgets';
import { ProjectEndings } from './project-endings';
import { lockProject } from './project-status';
import { InvalidStatusError } from './projects.errors';
import { type ProjectChange, ProjectsRepository } from './projects.repository';

export interface NewProject extends Required<ProjectChange> {
  readonly budgetPicoUsd?: PicoUsd;
}

export interface ProjectUpdate extends ProjectChange {
  /** Null: none any more. */
  readonly budgetPicoUsd?: PicoUsd | null;
}

const AT_WORK: readonly ProjectStatus[] = ['planning', 'running', 'paused'];
const REQUIREMENTS_CHANGE = PROJECT_STATUSES.filter((status) => !AT_WORK.includes(status));
/** How often something may begin anew while a project is being deleted. */
const MAX_TRIES = 3;

/** What owners do with projects. Every act is in the audit log. */
@Injectable()
export class ProjectsService {
  constructor(
    private readonly database: DataSource,
    private readonly projects: ProjectsRepository,
    private readonly budgets: ProjectBudgets,
    private readonly endings: ProjectEndings,
    private readonly audit: AuditSink,
  ) {}

  /** A draft. @throws ServiceUnavailableError when the books are too busy for its budget */
  async create(ctx: RequestContext, { budgetPicoUsd, ...rest }: NewProject): Promise<Project> {
    return await this.changing(async (tx) => {
      const project = await this.projects.add(ctx, rest, tx);
      const after = { name: project.name, budgetUsd: usd(budgetPicoUsd) };
      await this.audit.record(ctx, { action: 'project.create', resourceId: apiId(project), after }, tx);
      if (budgetPicoUsd !== undefined) await this.budgets.add(ctx, project.id, budgetPicoUsd, tx);
      return project;
    });
  }

  /**
   * The requirements change while nothing is planned or carried out; the next planning reads them.
   * @throws NotFoundError, ValidationError, InvalidStatusError, ForbiddenError (an administrator set the budget)
   */
  async update(ctx: RequestContext, id: string, update: ProjectUpdate): Promise<Project> {
    const { budgetPicoUsd, ...change } = update;
    if (Object.values(update).every((value) => value === undefined)) {
      throw new ValidationError('Name what to change: name, requirements or budgetUsd', { param: 'name' });
    }
    return await this.changing(async (tx) => {
      const before = await this.locked(ctx, id, tx);
      if (change.requirements !== undefined && !REQUIREMENTS_CHANGE.includes(before.status)) {
        throw InvalidStatusError.unless(before.status, REQUIREMENTS_CHANGE, 'change its requirements');
      }
      const after = await this.projects.change(ctx, before.id, change, tx);
      if (!after) throw noSuch(PROJECT);
      const states = { before: audited(before), after: { ...audited(after), budgetUsd: usd(budgetPicoUsd) } };
      await this.audit.record(ctx, { action: 'project.update', resourceId: apiId(after), ...states }, tx);
      if (budgetPicoUsd !== undefined) await this.budgets.set(ctx, after.id, budgetPicoUsd, tx);
      return after;
    });
  }

  /**
   * Ends what is under way, then takes the project away with its plans, tasks, events and files. Usage lines, decisions and
   * the audit log stay, with its id.
   * @throws NotFoundError
   */
  async remove(ctx: RequestContext, id: string): Promise<void> {
    const uuid = ownedId(PROJECT, id);
    if (!(await this.projects.find(ctx, uuid))) throw noSuch(PROJECT);
    for (let tries = 1; ; tries += 1) {
      await this.endings.endAll(ctx, uuid);
      if (await this.changing((tx) => this.removeQuiet(ctx, id, tx))) break;
      if (tries >= MAX_TRIES) throw new ConflictError('Something keeps beginning in the project: try again');
    }
    // A crash before this leaves them to FileCleanup.
    await this.endings.removeFiles(uuid);
  }

  /** False: something has begun meanwhile. */
  private async removeQuiet(ctx: RequestContext, id: string, tx: EntityManager): Promise<boolean> {
    const project = await this.locked(ctx, id, tx);
    if (AT_WORK.includes(project.status)) return false;
    const runIds = await this.projects.runIdsOf(project.id, tx);
    await this.budgets.forget(project.id, runIds, tx);
    await this.projects.remove(ctx, project.id, apiId(project), tx);
    const entry = { action: 'project.delete', resourceId: apiId(project), before: audited(project) };
    await this.audit.record(ctx, entry, tx);
    return true;
  }

  private async locked(ctx: RequestContext, id: string, tx: EntityManager): Promise<Project> {
    const project = await this.projects.find(ctx, ownedId(PROJECT, id), tx);
    const locked = project && (await lockProject(tx, project.id));
    if (!locked) throw noSuch(PROJECT);
    return locked;
  }

  private async changing<T>(work: (tx: EntityManager) => Promise<T>): Promise<T> {
    return await repeatOnConflict(() => this.database.transaction(work));
  }
}

function apiId({ id }: Project): string {
  return toApiId('prj', id);
}

function usd(amount: PicoUsd | null | undefined): string | null | undefined {
  return typeof amount === 'bigint' ? formatUsd(amount) : amount;
}

/** Requirements are prompts, which the audit log does not hold. */
function audited({ name, status, requirements }: Project): Record<string, unknown> {
  return { name, status, requirementsChars: requirements.length };
}
