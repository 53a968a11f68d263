import { Injectable } from '@nestjs/common';
import { type Agent, AgentRegistry, TaskMessages } from '../../agents/index';
import { noSuch } from '../../auth/index';
import type { ChatMessage, JsonObject, RequestContext } from '../../common/index';
import { PROJECT } from '../project';
import { ProjectsRepository } from '../projects.repository';
import { WorkContexts } from '../work-context';
import type { OpenPlanning } from './plan.repository';
import { ASK, type PlanStep } from './plan-rows';
import { planSchema } from './plan-shape';
import { planningTask, withRepair } from './planning-messages';

/** The built-in agent that plans; it gets no tasks of plans. */
export const PLANNER = 'planner';
const TIME_MS = 600_000;

export interface Question {
  readonly messages: readonly ChatMessage[];
  readonly schema: JsonObject;
}

/** What a planner needs at hand before a model is asked. */
@Injectable()
export class PlannerDesk {
  constructor(
    private readonly contexts: WorkContexts,
    private readonly projects: ProjectsRepository,
    private readonly registry: AgentRegistry,
    private readonly messages: TaskMessages,
  ) {}

  /** @throws ForbiddenError when nobody may be asked for this actor any more */
  async context({ plan, asked }: OpenPlanning, step: PlanStep, signal: AbortSignal): Promise<RequestContext> {
    const work = { projectId: plan.projectId, agent: PLANNER };
    const call = { work, stepKey: `${plan.id}.${step}`, signal, deadlineAt: Date.now() + TIME_MS };
    return await this.contexts.open(asked.actor, call);
  }

  /** Those that can do tasks now. */
  async agents(ctx: RequestContext): Promise<readonly Agent[]> {
    const all = await this.registry.list(ctx);
    return all.filter(({ type, isAvailable }) => isAvailable && type !== PLANNER);
  }

  /**
   * @param problems of the first answer, which is to be repaired
   * @throws NotFoundError when the project is gone
   */
  async question(
    ctx: RequestContext,
    { plan, asked, answers }: OpenPlanning,
    agents: readonly Agent[],
    problems: readonly string[] | undefined,
  ): Promise<Question> {
    const project = await this.projects.find(ctx, plan.projectId);
    if (!project) throw noSuch(PROJECT);
    const { maxTasks, instructions } = asked;
    const planner = await this.registry.find(ctx, PLANNER);
    if (!planner) throw new Error('There is no agent that plans');
    const task = planningTask({ project, agents, maxTasks, instructions });
    const messages = this.messages.build(planner, task, { earlier: [] });
    const types = agents.map(({ type }) => type);
    return {
      messages: problems ? withRepair(messages, answers[ASK]?.text ?? '', problems) : messages,
      schema: planSchema(types, maxTasks),
    };
  }
}
