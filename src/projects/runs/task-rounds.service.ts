import { Injectable } from '@nestjs/common';
import type { ChatTool, FunctionToolCall, RequestContext } from '../../common/index';
import { CompletionPipeline } from '../../execution/index';
import { ToolRegistry, ToolRunner } from '../../tools/index';
import type { ExitReason } from '../tasks/task';
import { CUT_BY_BUDGET, emptyAnswer, type Failure } from './failure';
import { callsOf, isEmpty, keptRound, messagesBefore, roundRequest } from './round-request';
import {
  type KeptRound,
  type KeptToolResult,
  type Material,
  type Obstacle,
  roundStep,
  type StepHost,
  toolStep,
} from './steps';
import { withinDeadline } from './within-deadline';

/** What became of one round, small enough for the journal. */
export type RoundOutcome =
  | { readonly next: 'tools'; readonly calls: number }
  | { readonly next: 'done'; readonly exitReason: ExitReason }
  | { readonly next: Obstacle }
  | { readonly next: 'failed'; readonly failure: Failure };

/** What became of all of them. */
export type RoundsEnd = Exclude<RoundOutcome, { readonly next: 'tools' }>;

/** What became of one tool call. */
type CallEnd =
  | { readonly name: string; readonly ok: boolean }
  /** It was not the tool that failed. */
  | { readonly failure: Failure };

/**
 * The rounds of a task: asks the model, runs the tools it calls, and asks again, until it answers. Every answer and every
 * tool result is a step of its own, kept before it is booked; a step that is kept is read and not done again. The budget
 * is asked in every round.
 */
@Injectable()
export class TaskRounds {
  constructor(
    private readonly pipeline: CompletionPipeline,
    private readonly registry: ToolRegistry,
    private readonly runner: ToolRunner,
  ) {}

  async run(host: StepHost): Promise<RoundsEnd> {
    const failing = new Map<string, number>();
    for (let round = 1; ; round++) {
      const outcome = await host.step<RoundOutcome>(roundStep(round), (signal) =>
        this.round(host, round, signal),
      );
      if (outcome.next !== 'tools') return outcome;
      if (round > host.limits.maxRounds) return stopped('max_rounds', 'The model went on calling tools');
      const ends = await Promise.all(
        Array.from({ length: outcome.calls }, (_, index) =>
          host.step<CallEnd>(toolStep(round, index), (signal) => this.tool(host, round, index, signal)),
        ),
      );
      const broken = ends.find((end) => 'failure' in end);
      if (broken) return { next: 'failed', failure: broken.failure };
      const twice = failedTwice(
        failing,
        ends.filter((end) => 'ok' in end),
      );
      if (twice !== undefined) return stopped('tool_failed', `The tool ${twice} failed twice in a row`);
    }
  }

  private async round(host: StepHost, round: number, signal: AbortSignal): Promise<RoundOutcome> {
    try {
      const material = await host.material(signal);
      const known = material.kept.get(roundStep(round)) as KeptRound | undefined;
      if (known) return outcomeOf(known);
      const obstacle = await host.obstacle(signal);
      if (obstacle !== undefined) return { next: obstacle };
      return await this.ask(host, material, round, signal);
    } catch (error) {
      return { next: 'failed', failure: await host.judge(error, signal) };
    }
  }

  /** An answer that says nothing is not kept, so that it can be asked for again. */
  private async ask(
    host: StepHost,
    material: Material,
    round: number,
    stepSignal: AbortSignal,
  ): Promise<RoundOutcome> {
    const step = roundStep(round);
    let outcome: RoundOutcome | undefined;
    await withinDeadline(stepSignal, host.limits.deadlineAt, async (signal) => {
      const ctx = await host.context(step, signal);
      await this.registry.ready(ctx, material.agent.tools);
      const tools = this.toolsOf(ctx, material);
      const request = roundRequest(material, messagesBefore(round, material), tools);
      await this.pipeline.run(ctx, request, undefined, async (answer) => {
        const result = keptRound(answer);
        if (isEmpty(result)) {
          outcome = { next: 'failed', failure: emptyAnswer(result) };
          return;
        }
        await host.keep({ step, number: round, requestId: ctx.requestId, result });
        material.kept.set(step, result);
        outcome = outcomeOf(result);
      });
    });
    if (!outcome) throw new Error('An answer was given to nobody');
    return outcome;
  }

  /** What it may call now; the others it cannot know of. */
  private toolsOf(ctx: RequestContext, { agent }: Material): readonly ChatTool[] {
    return agent.tools.flatMap((wanted) => {
      const tool = this.registry.find(wanted, ctx);
      if (!tool) return [];
      const { name, description, parameters } = tool;
      return [{ type: 'function', function: { name, description, parameters } }];
    });
  }

  private async tool(host: StepHost, round: number, index: number, signal: AbortSignal): Promise<CallEnd> {
    try {
      return await this.toolEnd(host, round, index, signal);
    } catch (error) {
      return { failure: await host.judge(error, signal) };
    }
  }

  private async toolEnd(host: StepHost, round: number, index: number, signal: AbortSignal): Promise<CallEnd> {
    const step = toolStep(round, index);
    const material = await host.material(signal);
    const known = material.kept.get(step) as KeptToolResult | undefined;
    if (known) return { name: known.name, ok: known.ok };
    const answer = material.kept.get(roundStep(round)) as KeptRound | undefined;
    const call = answer && callsOf(answer)[index];
    if (!call) throw new Error(`There is no call ${index} in round ${round}`);
    const result = await this.called(host, material, { step, call }, signal);
    // Cut by the deadline: the next round finds that out.
    if (!result) return { name: call.function.name, ok: true };
    await host.keep({ step, number: round, result });
    material.kept.set(step, result);
    return { name: result.name, ok: result.ok };
  }

  private async called(
    host: StepHost,
    { agent }: Material,
    { step, call }: { readonly step: string; readonly call: FunctionToolCall },
    stepSignal: AbortSignal,
  ): Promise<KeptToolResult | undefined> {
    const { name, arguments: text } = call.function;
    if (!agent.tools.includes(name)) {
      return { name, ok: false, content: `Error: there is no tool "${name}"` };
    }
    if (Date.now() >= host.limits.deadlineAt) return undefined;
    return await withinDeadline(stepSignal, host.limits.deadlineAt, async (signal) => {
      const ctx = await host.context(step, signal);
      const outcome = await this.runner.run(ctx, { name, arguments: text }, signal);
      // What was cut from outside says nothing about the tool.
      stepSignal.throwIfAborted();
      return signal.aborted ? undefined : { name, ...outcome };
    });
  }
}

function outcomeOf(answer: KeptRound): RoundOutcome {
  const calls = callsOf(answer).length;
  if (calls > 0) return { next: 'tools', calls };
  if (answer.isCutByBudget) return { next: 'failed', failure: CUT_BY_BUDGET };
  return { next: 'done', exitReason: answer.finishReason === 'length' ? 'max_tokens' : 'completed' };
}

function stopped(exitReason: 'max_rounds' | 'tool_failed', message: string): RoundsEnd {
  return {
    next: 'failed',
    failure: { code: exitReason.toUpperCase(), message, exitReason, retry: null },
  };
}

/** The tool that has failed in two rounds in a row. */
function failedTwice(
  failing: Map<string, number>,
  ends: readonly { readonly name: string; readonly ok: boolean }[],
): string | undefined {
  const failed = new Set(ends.filter(({ ok }) => !ok).map(({ name }) => name));
  for (const name of failing.keys()) if (!failed.has(name)) failing.delete(name);
  for (const name of failed) failing.set(name, (failing.get(name) ?? 0) + 1);
  return [...failed].find((name) => (failing.get(name) ?? 0) >= 2);
}
