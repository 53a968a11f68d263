import type { ChatMessage, JsonObject, JsonValue, RequestContext } from '../../common/index';
import { newId } from '../../common/index';
import type { Agent, AgentTask } from '../../agents/index';
import { type Failure, failureOf } from './failure';
import { type KeptRound, type KeptStep, type Material, roundStep, type StepHost } from './steps';

/** The steps of a task without a project: they last as long as the request that asks for it. */
export class MemorySteps implements StepHost {
  readonly limits: StepHost['limits'];
  private readonly kept = new Map<string, JsonObject>();
  private failure?: unknown;
  private rounds = 0;

  constructor(
    private readonly ctx: RequestContext,
    private readonly agent: Agent,
    private readonly task: AgentTask,
    private readonly messages: readonly ChatMessage[],
  ) {
    const { maxRounds, timeoutMs } = agent.limits;
    this.limits = { maxRounds, deadlineAt: Math.min(Date.now() + timeoutMs, ctx.deadlineAt ?? Infinity) };
  }

  /** What its rounds have said so far, in their order. */
  get answers(): readonly KeptRound[] {
    return Array.from(
      { length: this.rounds },
      (_, index) => this.kept.get(roundStep(index + 1)) as KeptRound,
    );
  }

  /** As it was thrown, of the last failure. */
  get thrown(): unknown {
    return this.failure;
  }

  step<T extends JsonValue>(_name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return work(this.ctx.signal);
  }

  material(): Promise<Material> {
    const { agent, task, messages, kept } = this;
    return Promise.resolve({ agent, task, messages, kept });
  }

  context(_step: string, signal: AbortSignal): Promise<RequestContext> {
    const work = { ...this.ctx.work, agent: this.agent.type };
    const { deadlineAt } = this.limits;
    return Promise.resolve({ ...this.ctx, requestId: newId(), signal, work, deadlineAt });
  }

  obstacle(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  keep({ step, number, result }: KeptStep): Promise<void> {
    this.kept.set(step, result);
    if (step === roundStep(number)) this.rounds = number;
    return Promise.resolve();
  }

  judge(error: unknown): Promise<Failure> {
    this.failure = error;
    return Promise.resolve(failureOf(error));
  }
}
