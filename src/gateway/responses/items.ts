/** The items that an answer consists of. Their ids tell the response they belong to, and their place in it. */
import { type ChatMessage, type ChatToolCall, type JsonObject, toApiId } from '../../common/index';
import { reasoningOf, textOf } from '../messages/response';

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';
/** What the text of an item is: an answer, a refusal of one, or a summary of the thoughts behind it. */
export type TextKind = 'output_text' | 'refusal' | 'summary_text';

/** What is known of an item while the answer is made. */
export type Item =
  | { readonly kind: TextKind; readonly text: string }
  | {
      readonly kind: 'function_call';
      readonly callId: string;
      readonly name: string;
      readonly arguments: string;
    };

const PREFIXES = { output_text: 'msg', refusal: 'msg', summary_text: 'rs', function_call: 'fc' } as const;
const INDEX_DIGITS = 4;

/** @param requestId UUID of the request; the response is named after it. */
export function itemId(requestId: string, kind: Item['kind'], index: number): string {
  return `${PREFIXES[kind]}_${toApiId('msg', requestId).slice('msg_'.length)}${place(index)}`;
}

/** The id of an item of the input; never one of the output. */
export function inputItemId(requestId: string, { type }: JsonObject, index: number): string {
  const prefix =
    type === 'function_call'
      ? 'fc'
      : type === 'function_call_output'
        ? 'fco'
        : type === 'reasoning'
          ? 'rs'
          : 'msg';
  return `${prefix}_${toApiId('msg', requestId).slice('msg_'.length)}i${place(index)}`;
}

function place(index: number): string {
  return index.toString(16).padStart(INDEX_DIGITS, '0');
}

export function itemJson(item: Item, id: string, status: ItemStatus): JsonObject {
  if (item.kind === 'function_call') {
    return {
      id,
      type: 'function_call',
      status,
      call_id: item.callId,
      name: item.name,
      arguments: item.arguments,
    };
  }
  const parts = item.text === '' && status === 'in_progress' ? [] : [textPart(item.kind, item.text)];
  if (item.kind === 'summary_text') return { id, type: 'reasoning', summary: parts };
  return { id, type: 'message', status, role: 'assistant', content: parts };
}

export function textPart(kind: TextKind, text: string): JsonObject {
  switch (kind) {
    case 'output_text':
      return { type: kind, text, annotations: [], logprobs: [] };
    case 'refusal':
      return { type: kind, refusal: text };
    case 'summary_text':
      return { type: kind, text };
    default:
      return kind satisfies never;
  }
}

/** The items of a whole answer. */
export function itemsOf(message: ChatMessage, showsSummary: boolean): readonly Item[] {
  const texts: readonly (readonly [TextKind, string])[] = [
    ['summary_text', showsSummary ? reasoningOf(message) : ''],
    ['output_text', textOf(message)],
    ['refusal', typeof message.refusal === 'string' ? message.refusal : ''],
  ];
  return [
    ...texts.filter(([, text]) => text !== '').map(([kind, text]) => ({ kind, text })),
    ...(message.tool_calls ?? []).flatMap(callItem),
  ];
}

/** Calls of other kinds than functions were never offered. */
function callItem(call: ChatToolCall): Item[] {
  const { function: fn } = call;
  return fn ? [{ kind: 'function_call', callId: call.id, name: fn.name, arguments: fn.arguments ?? '' }] : [];
}

/** What was cut short is the last of them: those before it were whole when it began. */
export function outputOf(items: readonly Item[], requestId: string, lastStatus: ItemStatus): JsonObject[] {
  return items.map((item, index) => {
    const status = index === items.length - 1 ? lastStatus : 'completed';
    return itemJson(item, itemId(requestId, item.kind, index), status);
  });
}
