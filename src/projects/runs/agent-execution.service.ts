import { Injectable } from '@nestjs/common';
import { type Agent, AgentRegistry, type AgentTask, TaskMessages } from '../../agents/index';
import { noSuch } from '../../auth/index';
import type { PicoUsd, RequestContext } from '../../common/index';
import { ConflictError, ServiceUnavailableError, toAppError } from '../../errors/index';
import type { ExitReason } from '../tasks/task';
import { MemorySteps } from './memory-steps';
import type { KeptRound } from './steps';
import { type RoundsEnd, TaskRounds } from './task-rounds.service';

export interface AgentResult {
  readonly state: 'succeeded' | 'failed';
  readonly exitReason: ExitReason;
  /** Of a task that failed: what there was by then. */
  readonly output: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Catalog id of the model that answered last. */
  readonly model: string | null;
  /** Undefined: a price was unknown. */
  readonly costPicoUsd?: PicoUsd;
  readonly rounds: number;
  readonly startedAt: Date;
  readonly completedAt: Date;
}

const TYPE = { name: 'agent' };

/** One task without a project, done while the caller waits. */
@Injectable()
export class AgentExecution {
  constructor(
    private readonly agents: AgentRegistry,
    private readonly messages: TaskMessages,
    private readonly rounds: TaskRounds,
  ) {}

  /**
   * @throws NotFoundError; ConflictError when the agent is a person; whatever the first round throws: later failures
   * come back as a result with what there was by then
   */
  async execute(ctx: RequestContext, task: AgentTask): Promise<AgentResult> {
    const agent = await this.agentOf(ctx, task.agent);
    const startedAt = new Date();
    const steps = new MemorySteps(ctx, agent, task, this.messages.build(agent, task, { earlier: [] }));
    const end = await this.rounds.run(steps);
    const { answers, thrown } = steps;
    if (end.next === 'failed' && answers.length === 0)
      throw thrown === undefined ? emptyAnswer(end) : toAppError(thrown);
    return { ...resultOf(end, answers), startedAt, completedAt: new Date() };
  }

  private async agentOf(ctx: RequestContext, type: string): Promise<Agent> {
    const agent = await this.agents.find(ctx, type);
    if (!agent) throw noSuch(TYPE, 'type');
    if (agent.mode !== 'interactive') return agent;
    throw new ConflictError(
      `The agent "${type}" is a person: put the task into a project, where it can wait for an answer`,
      { param: 'type' },
    );
  }
}

function emptyAnswer(end: Extract<RoundsEnd, { readonly next: 'failed' }>): ServiceUnavailableError {
  return new ServiceUnavailableError(end.failure.message);
}

function resultOf(
  end: RoundsEnd,
  answers: readonly KeptRound[],
): Omit<AgentResult, 'startedAt' | 'completedAt'> {
  const costs = answers.map(({ costPicoUsd }) => costPicoUsd);
  const common = {
    model: answers.at(-1)?.model ?? null,
    costPicoUsd: costs.reduce<PicoUsd | undefined>(
      (sum, cost) => (sum === undefined || cost === null ? undefined : sum + BigInt(cost)),
      0n,
    ),
    rounds: answers.length,
  };
  if (end.next === 'done') {
    const output = answers.at(-1)?.text ?? null;
    return { state: 'succeeded', exitReason: end.exitReason, output, error: null, ...common };
  }
  const texts = answers.map(({ text }) => text).filter((text) => text !== '');
  const output = texts.length > 0 ? texts.join('\n\n') : null;
  const failure = end.next === 'failed' ? end.failure : undefined;
  const error = { code: failure?.code ?? 'INTERNAL', message: failure?.message ?? 'It could not go on' };
  return { state: 'failed', exitReason: failure?.exitReason ?? 'error', output, error, ...common };
}
