/** A chat.completion as a message of Anthropic's dialect. */
import {
  type ChatMessage,
  type ChatToolCall,
  isJsonObject,
  type JsonObject,
  toApiId,
  toolArguments,
} from '../../common/index';
import type { Completion, CompletionMeta } from '../../execution/index';
import type { MessagesRequest } from './request';
import { stopFields } from './stop';
import { wholeUsage } from './usage';

/** The answer as Anthropic’s clients expect it; the first choice is the only one that was asked for. */
export function toMessage({ meta, totals, body = {} }: Completion, request: MessagesRequest): JsonObject {
  const choice = firstChoice(body);
  const message = isJsonObject(choice.message) ? (choice.message as ChatMessage) : undefined;
  const content = message ? contentBlocks(message, request.showsThinking) : [];
  const ending = {
    finishReason: choice.finish_reason,
    matched: choice.stop_reason,
    hasCalls: content.some(({ type }) => type === 'tool_use'),
    isRefusal: typeof message?.refusal === 'string' && message.refusal !== '',
  };
  return {
    ...messageHead(meta, body.model),
    content,
    ...stopFields(ending, request.stopSequences),
    usage: wholeUsage(totals.usage),
  };
}

export function messageHead(meta: CompletionMeta, model: unknown): JsonObject {
  return {
    id: toApiId('msg', meta.requestId),
    type: 'message',
    role: 'assistant',
    model: typeof model === 'string' ? model : meta.model,
    container: null,
    diagnostics: null,
  };
}

export function firstChoice({ choices }: JsonObject): JsonObject {
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined;
  return isJsonObject(first) ? first : {};
}

/** Servers name it in two ways. */
export function reasoningOf({ reasoning_content: content, reasoning }: JsonObject): string {
  if (typeof content === 'string') return content;
  return typeof reasoning === 'string' ? reasoning : '';
}

export function textOf({ content }: Pick<ChatMessage, 'content'>): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map((part) => part.text ?? '').join('');
}

export const EMPTY_BLOCKS = {
  text: { type: 'text', text: '', citations: null },
  thinking: { type: 'thinking', thinking: '', signature: '' },
} as const;

export function toolUseBlock(id: string, name: string, input: JsonObject): JsonObject {
  return { type: 'tool_use', id, name, input, caller: { type: 'direct' } };
}

function contentBlocks(message: ChatMessage, showsThinking: boolean): readonly JsonObject[] {
  const thinking = showsThinking ? reasoningOf(message) : '';
  const text = textOf(message) + (typeof message.refusal === 'string' ? message.refusal : '');
  return [
    ...(thinking ? [{ ...EMPTY_BLOCKS.thinking, thinking }] : []),
    ...(text ? [{ ...EMPTY_BLOCKS.text, text }] : []),
    ...(message.tool_calls ?? []).flatMap(toolUse),
  ];
}

/** Calls of other kinds than functions were never offered. */
function toolUse(call: ChatToolCall): JsonObject[] {
  const { function: fn } = call;
  return fn ? [toolUseBlock(call.id, fn.name, toolArguments(fn.arguments))] : [];
}
