/** Reading and patching chat.completion objects; pure. */
import { randomBytes } from 'node:crypto';
import type { ChatMessage, ChatToolCall, JsonObject } from '../common/index';

/** The parts of one finished answer that the tool loop works with. */
export interface AnswerMessage {
  readonly message: ChatMessage;
  readonly toolCalls: readonly ChatToolCall[];
}

interface Choice extends JsonObject {
  readonly message?: ChatMessage;
}

function choicesOf(body: JsonObject): readonly Choice[] {
  return Array.isArray(body.choices) ? (body.choices as unknown as readonly Choice[]) : [];
}

export function firstMessage(body: JsonObject): AnswerMessage {
  const message = choicesOf(body)[0]?.message ?? { role: 'assistant' as const, content: '' };
  return { message, toolCalls: message.tool_calls ?? [] };
}

export function newToolCallId(): string {
  return `call_${randomBytes(12).toString('hex')}`;
}

const KEPT_CALL_ID = /^call_kept_[0-9a-f]{24}$/;

/** The id of a client's call whose round had server-side calls too; recognised when the client comes back. */
export function newKeptCallId(): string {
  return `call_kept_${randomBytes(12).toString('hex')}`;
}

export function isKeptCallId(id: string): boolean {
  return KEPT_CALL_ID.test(id);
}

/** Gives every tool call without an id one. The same object comes back when none was missing. */
export function withToolCallIds(body: JsonObject): JsonObject {
  const choices = choicesOf(body);
  const isMissing = choices.some((choice) => choice.message?.tool_calls?.some((call) => !call.id));
  if (!isMissing) return body;
  return {
    ...body,
    choices: choices.map((choice) =>
      choice.message?.tool_calls
        ? {
            ...choice,
            message: {
              ...choice.message,
              tool_calls: choice.message.tool_calls.map((call) =>
                call.id ? call : { ...call, id: newToolCallId() },
              ),
            },
          }
        : choice,
    ),
  };
}

/** Where dialects put the text of a message or a delta. */
const TEXT_FIELDS = ['content', 'reasoning_content', 'reasoning', 'refusal'] as const;

/** UTF-8 bytes of the text in a message or a delta, reasoning included. */
export function textBytes(message: JsonObject): number {
  let bytes = 0;
  for (const field of TEXT_FIELDS) {
    const text = message[field];
    if (typeof text === 'string') bytes += Buffer.byteLength(text);
  }
  return bytes;
}

/** UTF-8 bytes of all text in an answer and of what it gives to tools. */
export function answerBytes(body: JsonObject): number {
  let bytes = 0;
  for (const { message } of choicesOf(body)) {
    if (message) bytes += textBytes(message);
    for (const { function: called, custom } of message?.tool_calls ?? [])
      bytes += Buffer.byteLength(called?.arguments ?? custom?.input ?? '');
  }
  return bytes;
}

/** The answer with other tool calls and usage in its place; an answer left without calls keeps its text. */
export function withToolCalls(body: JsonObject, calls: readonly ChatToolCall[]): JsonObject {
  const [first, ...rest] = choicesOf(body);
  if (!first) return body;
  const { tool_calls: _, ...message } = first.message ?? { role: 'assistant' as const };
  return {
    ...body,
    choices: [{ ...first, message: calls.length > 0 ? { ...message, tool_calls: calls } : message }, ...rest],
  };
}
