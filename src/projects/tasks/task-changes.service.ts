import { Injectable } from '@nestjs/common';
import { AgentRegistry } from '../../agents/index';
import { noSuch, ownedId } from '../../auth/index';
import { type JsonObject, type RequestContext, type SqlExecutor, toApiId } from '../../common/index';
import { AuditSink } from '../../errors/index';
import { DurableEngine } from '../../durable/index';
import { TASK, type TaskState } from '../project';
import { InvalidStatusError, UnknownAgentError } from '../projects.errors';
import { RunChanges } from '../runs/run-changes.service';
import { OPEN_STATES, type Task, type TaskChange } from './task';
import { TaskTransitions } from './task-transitions';
import { TasksRepository } from './tasks.repository';

const CHANGEABLE: readonly TaskState[] = ['blocked', 'ready', 'waiting', 'failed', 'cancelled', 'skipped'];
/** Changes nothing about what is done, only when. */
const ORDER_ONLY: readonly string[] = ['priority'];

/** What owners do with single tasks; trying one again is `TaskRetries`. Every act is in the audit log. */
@Injectable()
export class TaskChanges {
  constructor(
    private readonly tasks: TasksRepository,
    private readonly changes: RunChanges,
    private readonly transitions: TaskTransitions,
    private readonly agents: AgentRegistry,
    private readonly engine: DurableEngine,
    private readonly audit: AuditSink,
  ) {}

  /**
   * What it shall do, unless it is being done or was done.
   * @throws NotFoundError, InvalidStatusError, UnknownAgentError, ForbiddenError
   */
  async update(ctx: RequestContext, id: string, change: TaskChange): Promise<Task> {
    const { agent } = change;
    if (agent !== undefined) await this.refuseUnknownAgent(ctx, id, agent);
    const names = Object.keys(change);
    return await this.changing(ctx, id, async (tx, task) => {
      if (!CHANGEABLE.includes(task.state)) {
        throw InvalidStatusError.unless(task.state, CHANGEABLE, 'change the task');
      }
      const isNew = names.some((name) => !ORDER_ONLY.includes(name));
      if (isNew) this.changes.checkCaller(ctx, task.userId);
      await this.tasks.change(tx, task, change, isNew);
      if (agent !== undefined && agent !== task.agent) await this.transitions.reopen(tx, task.id);
      await this.record(tx, ctx, { action: 'task.update', task, after: { changed: names } });
    });
  }

  /** What depends on it is skipped. @throws NotFoundError, InvalidStatusError */
  async cancel(ctx: RequestContext, id: string): Promise<Task> {
    let workflowId: string | null = null;
    const cancelled = await this.changing(ctx, id, async (tx, task) => {
      if (task.state === 'cancelled') {
        // Asked again: perhaps because its workflow was not told the first time.
        workflowId = task.workflowId ?? null;
        return;
      }
      const actorId = ctx.principal.userId;
      const ending = { state: 'cancelled', exitReason: 'cancelled', output: 'all', actorId } as const;
      const ended = await this.transitions.end(tx, task.id, 'open', ending);
      if (!ended) throw InvalidStatusError.unless(task.state, OPEN_STATES, 'cancel the task');
      workflowId = ended.workflowId;
      await this.record(tx, ctx, { action: 'task.cancel', task, after: { state: ended.state } });
    });
    if (workflowId !== null) await this.engine.cancel([workflowId]);
    return cancelled;
  }

  /** The result of a task that waits for a person. @throws NotFoundError, InvalidStatusError */
  async answer(ctx: RequestContext, id: string, text: string): Promise<Task> {
    return await this.changing(ctx, id, async (tx, task) => {
      const actorId = ctx.principal.userId;
      const ending = { state: 'succeeded', exitReason: 'completed', output: { text }, actorId } as const;
      const ended = await this.transitions.end(tx, task.id, 'answer', ending);
      if (!ended) throw InvalidStatusError.unless(task.state, ['waiting for an answer'], 'answer the task');
      await this.record(tx, ctx, { action: 'task.answer', task, after: { outputChars: text.length } });
    });
  }

  /** An agent of whoever the task belongs to, who need not be the caller. */
  private async refuseUnknownAgent(ctx: RequestContext, id: string, agent: string): Promise<void> {
    const { userId } = await this.found(ctx, id);
    const owner = { ...ctx, principal: { ...ctx.principal, userId } };
    if (await this.agents.find(owner, agent)) return;
    throw new UnknownAgentError(`There is no agent "${agent}"`, { param: 'agent' });
  }

  private async found(ctx: RequestContext, id: string): Promise<Task> {
    const task = await this.tasks.find(ctx, ownedId(TASK, id));
    if (!task) throw noSuch(TASK);
    return task;
  }

  /** The task as it is afterwards. */
  private async changing(
    ctx: RequestContext,
    id: string,
    work: (tx: SqlExecutor, task: Task) => Promise<void>,
  ): Promise<Task> {
    const taskId = ownedId(TASK, id);
    const found = await this.found(ctx, id);
    return await this.changes.change(ctx, found.projectId, async (tx) => {
      await this.tasks.lock(tx, taskId);
      await work(tx, await this.taskIn(tx, ctx, taskId));
      return await this.taskIn(tx, ctx, taskId);
    });
  }

  private async taskIn(tx: SqlExecutor, ctx: RequestContext, taskId: string): Promise<Task> {
    const task = await this.tasks.find(ctx, taskId, tx);
    if (!task) throw noSuch(TASK);
    return task;
  }

  private async record(
    tx: SqlExecutor,
    ctx: RequestContext,
    { action, task, after }: { readonly action: string; readonly task: Task; readonly after: JsonObject },
  ): Promise<void> {
    const before = { state: task.state };
    await this.audit.record(ctx, { action, resourceId: toApiId('tsk', task.id), before, after }, tx);
  }
}
