import { Injectable } from '@nestjs/common';
import { type Agent, AgentRegistry } from '../../agents/index';
import type { RequestContext } from '../../common/index';
import { OpenRequests } from '../../observability/index';
import { UnknownAgentError } from '../projects.errors';
import { WorkContexts } from '../work-context';
import type { Work } from './work.repository';

export interface StepCall {
  readonly step: string;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly deadlineAt?: number;
}

/** For whom tasks are carried out, and by which agents. */
@Injectable()
export class TaskCallers {
  constructor(
    private readonly contexts: WorkContexts,
    private readonly agents: AgentRegistry,
    private readonly open: OpenRequests,
  ) {}

  /** This process takes no new work. */
  get isLeaving(): boolean {
    return this.open.isDraining;
  }

  /** @throws ForbiddenError when the owner may make no calls any more */
  async context({ task, keyId }: Work, { step, signal, deadlineAt }: StepCall): Promise<RequestContext> {
    const { id: taskId, userId, projectId, runId, agent, generation } = task;
    return await this.contexts.open(
      { userId, keyId },
      {
        work: { projectId, runId, taskId, agent },
        stepKey: `${taskId}.${generation}.${step}`,
        signal,
        deadlineAt,
      },
    );
  }

  /** @throws UnknownAgentError, ForbiddenError */
  async agent(work: Work, signal: AbortSignal): Promise<Agent> {
    const type = work.task.agent;
    const agent = await this.agents.find(await this.context(work, { step: 'agent', signal }), type);
    if (agent) return agent;
    throw new UnknownAgentError(`There is no agent "${type}" any more: give the task another one`, {
      param: 'agent',
    });
  }
}
