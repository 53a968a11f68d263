/** Between a task and the chat request of one of its rounds. Pure. */
import type { Agent, AgentMode } from '../../agents/index';
import {
  type ChatMessage,
  type ChatRequest,
  type ChatTool,
  type DirectUse,
  type FunctionToolCall,
  isJsonObject,
  type JsonObject,
  messageText,
} from '../../common/index';
import type { AnswerToKeep } from '../../execution/index';
import { type KeptRound, type KeptToolResult, type Material, roundStep, toolStep } from './steps';

export function roundRequest(
  { agent, task }: Pick<Material, 'agent' | 'task'>,
  messages: readonly ChatMessage[],
  tools: readonly ChatTool[],
): ChatRequest {
  const body = {
    model: task.model ?? agent.model,
    messages,
    max_tokens: maxTokensOf(agent, task),
    ...(tools.length > 0 && { tools }),
  };
  return {
    body,
    options: {
      tools: [],
      cache: 'off',
      useDirect: useDirectOf(agent.mode),
      ...(task.model === undefined && agent.fallbackModels.length > 0 && { models: agent.fallbackModels }),
    },
    bodyBytes: Buffer.byteLength(JSON.stringify(body)),
  };
}

export function maxTokensOf({ limits }: Agent, { maxTokens }: { readonly maxTokens: number }): number {
  return Math.min(limits.maxTokens, maxTokens);
}

function useDirectOf(mode: AgentMode): DirectUse | undefined {
  switch (mode) {
    case 'script':
      return false;
    case 'direct':
      return 'only';
    case 'hybrid':
    case 'interactive':
      return undefined;
  }
}

/** The conversation before a round: the task, then the answers and tool results of the rounds before it. */
export function messagesBefore(round: number, { messages, kept }: Material): readonly ChatMessage[] {
  const earlier = Array.from({ length: round - 1 }, (_, index) => roundMessages(index + 1, kept));
  return [...messages, ...earlier.flat()];
}

function roundMessages(round: number, kept: ReadonlyMap<string, JsonObject>): readonly ChatMessage[] {
  const answer = kept.get(roundStep(round)) as KeptRound | undefined;
  if (!answer) throw new Error(`Round ${round} was not kept`);
  const results = callsOf(answer).map((call, index): ChatMessage => {
    const result = kept.get(toolStep(round, index)) as KeptToolResult | undefined;
    return { role: 'tool', tool_call_id: call.id, content: result?.content ?? 'Error: it was not run' };
  });
  return [answer.message, ...results];
}

export function callsOf({ message }: KeptRound): readonly FunctionToolCall[] {
  return (message.tool_calls ?? []).filter((call): call is FunctionToolCall => call.function !== undefined);
}

/** What is kept of an answer. */
export function keptRound(answer: AnswerToKeep): KeptRound {
  const choices = answer.body.choices as readonly JsonObject[] | undefined;
  const choice = choices?.[0] ?? {};
  const message = (isJsonObject(choice.message) ? choice.message : { role: 'assistant' }) as ChatMessage;
  return {
    message,
    text: messageText(message),
    finishReason: typeof choice.finish_reason === 'string' ? choice.finish_reason : null,
    model: answer.model,
    costPicoUsd: answer.totals.costPicoUsd?.toString() ?? null,
    isCutByBudget: choice.finish_reason === 'length' && answer.isLoweredByBudget,
  };
}

export function isEmpty(round: KeptRound): boolean {
  return round.text.trim() === '' && callsOf(round).length === 0;
}
