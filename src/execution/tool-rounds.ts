import { Injectable } from '@nestjs/common';
import type {
  ChatMessage,
  ChatTool,
  ChatToolCall,
  FunctionToolCall,
  LatticeOptions,
  RequestContext,
} from '../common/index';
import { ValidationError } from '../errors/index';
import { ToolRegistry, ToolRunner } from '../tools/index';
import type { AttemptAnswer } from './attempt-runner';
import type { ChatState } from './chat-state';
import { type KeptCall, type KeptRound, KeptToolCallsRepository } from './kept-tool-calls.repository';
import { isKeptCallId, newKeptCallId } from './answer';

/** What became of the tool calls of one answer. */
export type RoundVerdict =
  /** No server-side call: the answer is the client's, with these calls of its own. */
  | { readonly next: 'answer'; readonly clientCalls: readonly ChatToolCall[] }
  /** Server-side calls were run; the conversation goes on. */
  | { readonly next: 'continue' }
  /** The same tool failed twice in a row. */
  | { readonly next: 'stop' };

/** Server-side tools: runs them, continues the conversation, and hands the client its own calls. */
@Injectable()
export class ToolRounds {
  constructor(
    private readonly registry: ToolRegistry,
    private readonly runner: ToolRunner,
    private readonly kept: KeptToolCallsRepository,
  ) {}

  /**
   * The tools a request enables, in OpenAI's shape.
   * @throws ValidationError naming the tool that cannot be called and those that can.
   */
  async enabled(ctx: RequestContext, options: LatticeOptions): Promise<readonly ChatTool[]> {
    await this.registry.ready(ctx, options.tools);
    return options.tools.map((name, index) => {
      const tool = this.registry.find(name, ctx);
      if (!tool) throw this.refusal(ctx, name, index);
      const { description, parameters } = tool;
      return { type: 'function', function: { name, description, parameters } };
    });
  }

  /**
   * Puts earlier mixed rounds back as the model made them: the server-side calls, which the client never saw, the order of
   * all calls, and their ids, without which a provider does not know again what it signed.
   */
  async restore(ctx: RequestContext, messages: readonly ChatMessage[]): Promise<readonly ChatMessage[]> {
    const ids = messages
      .flatMap((message) => message.tool_calls?.map((call) => call.id) ?? [])
      .filter(isKeptCallId);
    if (ids.length === 0) return messages;
    const kept = await this.kept.find(ctx, ids);
    if (kept.size === 0) return messages;
    const ownIds = modelIds(kept.values());
    return messages.flatMap((message) => {
      const round = message.tool_calls?.map((call) => kept.get(call.id)).find((found) => found !== undefined);
      if (round) return [{ ...message, tool_calls: wholeRound(round, message.tool_calls) }, ...round.results];
      const id = ownIds.get(message.tool_call_id ?? '');
      return [id === undefined ? message : { ...message, tool_call_id: id }];
    });
  }

  async handle(state: ChatState, answer: AttemptAnswer, failing: Map<string, number>): Promise<RoundVerdict> {
    const { toolCalls } = answer;
    if (state.serverTools.length === 0 || toolCalls.length === 0)
      return { next: 'answer', clientCalls: toolCalls };
    const serverCalls = toolCalls.filter((call) => isServerCall(state, call));
    const clientCalls = toolCalls.filter((call) => !isServerCall(state, call));
    if (serverCalls.length === 0) return { next: 'answer', clientCalls };
    const results = await this.runAll(state, serverCalls, failing);
    if (clientCalls.length > 0) {
      const calls = toolCalls.map((call) => named(call, clientCalls));
      await this.kept.keep(state.ctx, { calls, results });
      return { next: 'answer', clientCalls: calls.flatMap(shown) };
    }
    if ([...failing.values()].some((count) => count >= 2)) return { next: 'stop' };
    state.append([answer.message, ...results]);
    return { next: 'continue' };
  }

  private refusal(ctx: RequestContext, name: string, index: number): ValidationError {
    const param = `lattice.tools[${index}]`;
    const reason = this.registry.known(name, ctx)?.unavailableReason;
    if (reason !== undefined)
      return new ValidationError(`The tool "${name}" is not available: ${reason}`, { param });
    const known = this.registry.list(ctx).map((other) => other.name);
    return new ValidationError(`There is no tool "${name.slice(0, 100)}"; known tools: ${known.join(', ')}`, {
      param,
    });
  }

  /** All calls of a round at once; a tool that is not enabled gets an error text like one that fails. */
  private async runAll(
    state: ChatState,
    calls: readonly FunctionToolCall[],
    failing: Map<string, number>,
  ): Promise<readonly ChatMessage[]> {
    const enabled = new Set(state.serverTools.map((tool) => tool.function?.name));
    const outcomes = await Promise.all(
      calls.map(async ({ function: { name, arguments: text } }) =>
        enabled.has(name)
          ? await this.runner.run(state.ctx, { name, arguments: text }, state.ctx.signal)
          : { ok: false, content: `Error: there is no tool "${name}"` },
      ),
    );
    const failedNow = new Set(
      calls.filter((_, index) => !outcomes[index]?.ok).map((call) => call.function.name),
    );
    for (const {
      function: { name },
    } of calls)
      if (!failedNow.has(name)) failing.delete(name);
    for (const name of failedNow) failing.set(name, (failing.get(name) ?? 0) + 1);
    return calls.map((call, index) => ({
      role: 'tool',
      tool_call_id: call.id,
      content: outcomes[index]?.content ?? '',
    }));
  }
}

/** The client's calls get ids of our own: an upstream may use its ids again in another conversation. */
function named(call: ChatToolCall, clientCalls: readonly ChatToolCall[]): KeptCall {
  return clientCalls.includes(call) ? { call, clientId: newKeptCallId() } : { call };
}

/** A call as the client gets to see it, if it does. */
function shown({ call, clientId }: KeptCall): readonly ChatToolCall[] {
  return clientId === undefined ? [] : [{ ...call, id: clientId }];
}

/** The model's ids by the client's. */
function modelIds(rounds: Iterable<KeptRound>): ReadonlyMap<string, string> {
  const calls = [...rounds].flatMap((round) => round.calls);
  return new Map(
    calls.flatMap(({ call, clientId }) => (clientId === undefined ? [] : [[clientId, call.id] as const])),
  );
}

/** What the client says of its own calls counts, also that it left one out. */
function wholeRound(
  { calls }: KeptRound,
  clientCalls: readonly ChatToolCall[] = [],
): readonly ChatToolCall[] {
  const own = new Map(clientCalls.map((call) => [call.id, call]));
  const whole = calls.flatMap(({ call, clientId }) => {
    if (clientId === undefined) return [call];
    const said = own.get(clientId);
    own.delete(clientId);
    return said ? [{ ...said, id: call.id }] : [];
  });
  return [...whole, ...own.values()];
}

/** A function call that none of the client's tools explains is ours to run, or to refuse; upstreams also send other kinds. */
export function isServerCall(state: ChatState, call: ChatToolCall): call is FunctionToolCall {
  const { name } = call.function ?? {};
  if (name === undefined) return false;
  return !state.request.body.tools?.some((tool) => tool.function?.name === name);
}
