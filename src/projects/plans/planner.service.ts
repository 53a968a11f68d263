import { Injectable } from '@nestjs/common';
import type { Agent } from '../../agents/index';
import { type ChatBody, isJsonObject, type RequestContext } from '../../common/index';
import { AppConfig } from '../../config/index';
import { DurableEngine, RunHandedOverError } from '../../durable/index';
import { type AppError, toAppError } from '../../errors/index';
import { type AnswerToKeep, CompletionPipeline, DeadlineExceededError } from '../../execution/index';
import { withinDeadline } from '../runs/within-deadline';
import { type OpenPlanning, PlansRepository } from './plan.repository';
import { readAnswer } from './plan-reading';
import type { PlanError } from './plan-results.service';
import type { KeptAnswer, PlanStep } from './plan-rows';
import { PLAN_SCHEMA_NAME } from './plan-shape';
import { PlannerDesk, type Question } from './planner-desk';
import { withSchemaInWords } from './planning-messages';

/** How asking ended: small, because it is journalled. */
export type Verdict =
  | { readonly kind: 'usable' | 'gone' }
  | { readonly kind: 'unusable'; readonly problems: readonly string[] }
  | { readonly kind: 'failed'; readonly error: PlanError }
  /** Nobody could be asked just now. */
  | { readonly kind: 'later'; readonly error: PlanError; readonly afterMs: number | null };

export interface PlanQuestion {
  readonly step: PlanStep;
  /** Of the answer before, which is to be repaired. */
  readonly problems?: readonly string[];
}

/** Room for the answer: what a task takes as JSON, and what models that think need before it. */
const TOKENS_PER_TASK = 300;
const LEAST_TOKENS = 8192;
const MOST_TOKENS = 32_768;
/** No model that may be asked can be held to a schema. */
const NO_SCHEMA: ReadonlySet<string> = new Set(['NO_SUITABLE_MODEL', 'MODEL_LACKS_CAPABILITY']);

/** Asks a planner model, through the one metered door, as the owner of the project. */
@Injectable()
export class Planner {
  constructor(
    private readonly config: AppConfig,
    private readonly engine: DurableEngine,
    private readonly pipeline: CompletionPipeline,
    private readonly desk: PlannerDesk,
    private readonly plans: PlansRepository,
  ) {}

  /** Inside a step. An answer that was kept before a crash is not asked for again. */
  async ask(planId: string, question: PlanQuestion, signal: AbortSignal): Promise<Verdict> {
    try {
      const open = await this.plans.open(planId);
      if (!open) return { kind: 'gone' };
      const ctx = await this.desk.context(open, question.step, signal);
      const agents = await this.desk.agents(ctx);
      const answer = open.answers[question.step] ?? (await this.answer(ctx, open, agents, question));
      const known = agents.map(({ type }) => type);
      const read = readAnswer(answer, { maxTasks: open.asked.maxTasks, known });
      return 'problems' in read ? { kind: 'unusable', problems: read.problems } : { kind: 'usable' };
    } catch (error) {
      if (signal.aborted || error instanceof RunHandedOverError) throw error;
      return verdictOf(toAppError(error));
    }
  }

  /** Held to the schema where a model can be, in words where none can. */
  private async answer(
    ctx: RequestContext,
    open: OpenPlanning,
    agents: readonly Agent[],
    { step, problems }: PlanQuestion,
  ): Promise<KeptAnswer> {
    const question = await this.desk.question(ctx, open, agents, problems);
    await this.engine.confirm();
    const limits = { model: open.asked.model ?? this.config.vars.PLANNER_MODEL, max_tokens: roomFor(open) };
    const keep = (answer: KeptAnswer): Promise<void> =>
      this.engine.guarded((tx) => this.plans.keep(tx, open.plan.id, step, answer));
    try {
      return await this.complete(ctx, { ...limits, ...heldToSchema(question) }, keep);
    } catch (error) {
      if (!NO_SCHEMA.has(toAppError(error).code)) throw error;
      const messages = withSchemaInWords(question.messages, question.schema);
      return await this.complete(ctx, { ...limits, messages }, keep);
    }
  }

  private async complete(
    ctx: RequestContext,
    body: ChatBody,
    keep: (answer: KeptAnswer) => Promise<void>,
  ): Promise<KeptAnswer> {
    const bodyBytes = Buffer.byteLength(JSON.stringify(body));
    const kept: KeptAnswer[] = [];
    const request = { body, bodyBytes, options: { tools: [], cache: 'off' } } as const;
    await withinDeadline(ctx.signal, ctx.deadlineAt ?? Infinity, async (signal) => {
      await this.pipeline.run({ ...ctx, signal }, request, undefined, async (answer) => {
        const written = writtenIn(answer);
        await keep(written);
        kept.push(written);
      });
    });
    const [answer] = kept;
    if (!answer) throw new Error('An answer was not kept');
    return answer;
  }
}

function roomFor({ asked }: OpenPlanning): number {
  return Math.min(MOST_TOKENS, Math.max(LEAST_TOKENS, asked.maxTasks * TOKENS_PER_TASK));
}

function heldToSchema({ messages, schema }: Question): Pick<ChatBody, 'messages' | 'response_format'> {
  const json_schema = { name: PLAN_SCHEMA_NAME, strict: true, schema };
  return { messages, response_format: { type: 'json_schema', json_schema } };
}

function writtenIn({ body, model }: AnswerToKeep): KeptAnswer {
  const [choice] = Array.isArray(body.choices) ? (body.choices as readonly unknown[]) : [];
  const { message, finish_reason: reason } = isJsonObject(choice) ? choice : {};
  const content = isJsonObject(message) ? message.content : undefined;
  const finishReason = typeof reason === 'string' ? reason : null;
  return { text: typeof content === 'string' ? content : '', model, finishReason };
}

function verdictOf(failure: AppError): Verdict {
  const { code, message, retryAfterMs, isLasting } = failure;
  const error = { code, message };
  if (failure instanceof DeadlineExceededError) {
    return { kind: 'failed', error: { code, message: 'Writing the plan took longer than it may' } };
  }
  return isLasting ? { kind: 'failed', error } : { kind: 'later', error, afterMs: retryAfterMs ?? null };
}
