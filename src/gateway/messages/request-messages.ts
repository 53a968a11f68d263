/** The conversation of Anthropic's dialect as messages of OpenAI's. */
import type { ChatMessage, ChatToolCall, ContentPart, JsonObject, JsonValue } from '../../common/index';
import { invalid } from '../invalid';
import {
  type Conversion,
  isAbsent,
  kindOf,
  listAt,
  nameAt,
  objectAt,
  onlyFields,
  textAt,
} from './conversion';
import { refuseBlock, textPart, toolResult, userParts } from './request-blocks';

export function systemMessages(system: JsonValue | undefined, conversion: Conversion): ChatMessage[] {
  return isAbsent(system) || system === '' ? [] : instructions(system, 'system', conversion);
}

export function conversationMessages(
  messages: JsonValue | undefined,
  conversion: Conversion,
): readonly ChatMessage[] {
  const list = listAt(messages, 'messages');
  const { maxMessages } = conversion.limits;
  if (list.length === 0) invalid('messages', 'must be a list with at least one message');
  if (list.length > maxMessages)
    invalid('messages', `has ${list.length} entries; at most ${maxMessages} are allowed`);
  const converted = list.flatMap((message, index) => convert(message, `messages[${index}]`, conversion));
  if (converted.length === 0) invalid('messages', 'must hold at least one block: nothing of them is sent on');
  return converted;
}

function convert(value: JsonValue, at: string, conversion: Conversion): ChatMessage[] {
  const message = objectAt(value, at);
  onlyFields(message, ['role', 'content'], at);
  switch (textAt(message.role, `${at}.role`)) {
    case 'user':
      return userMessages(message.content, `${at}.content`, conversion);
    case 'assistant':
      return [assistantMessage(message.content, `${at}.content`, conversion)];
    case 'system':
      return instructions(message.content, `${at}.content`, conversion);
    default:
      return invalid(`${at}.role`, 'must be user, assistant or system');
  }
}

/** One message, or one per cached prefix: a mark stands behind all that comes before it. */
function instructions(content: JsonValue | undefined, at: string, conversion: Conversion): ChatMessage[] {
  if (typeof content === 'string') return [{ role: 'system', content: conversion.text(content, at) }];
  const messages: ChatMessage[] = [];
  let texts: string[] = [];
  for (const [block, place] of blocksOf(content, at)) {
    if (block.type !== 'text') refuseBlock(block, place, 'text');
    const { text = '', cache_control: mark } = textPart(block, place, conversion);
    texts.push(text);
    if (mark === undefined) continue;
    messages.push({ role: 'system', content: texts.join('\n\n'), cache_control: mark });
    texts = [];
  }
  return texts.length > 0 ? [...messages, { role: 'system', content: texts.join('\n\n') }] : messages;
}

/** Tool results are messages of their own and come first, as both dialects want it. */
function userMessages(content: JsonValue | undefined, at: string, conversion: Conversion): ChatMessage[] {
  if (typeof content === 'string') return [{ role: 'user', content: conversion.text(content, at) }];
  const results: ChatMessage[] = [];
  const parts: ContentPart[] = [];
  const blocks = blocksOf(content, at);
  if (blocks.length === 0) invalid(at, 'must hold at least one block');
  for (const [block, place] of blocks) {
    if (block.type === 'tool_result') {
      const result = toolResult(block, place, conversion);
      results.push(result.message);
      parts.push(...result.parts);
    } else parts.push(...userParts(block, place, conversion));
  }
  return parts.length > 0 ? [...results, { role: 'user', content: simplest(parts) }] : results;
}

/** A lone text is a string: every model takes that. */
function simplest(parts: readonly ContentPart[]): string | readonly ContentPart[] {
  const [first] = parts;
  const isPlain = parts.length === 1 && first?.type === 'text' && first.cache_control === undefined;
  return isPlain ? (first.text ?? '') : parts;
}

function assistantMessage(content: JsonValue | undefined, at: string, conversion: Conversion): ChatMessage {
  if (typeof content === 'string') return { role: 'assistant', content: conversion.text(content, at) };
  let text = '';
  let mark: { readonly cache_control?: JsonObject } = {};
  const calls: ChatToolCall[] = [];
  for (const [block, place] of blocksOf(content, at)) {
    switch (kindOf(block)) {
      case 'text':
        text += textPart(block, place, conversion).text ?? '';
        break;
      case 'tool_use':
        calls.push(toolCall(block, place));
        break;
      case 'thinking':
      case 'redacted_thinking':
        conversion.warn('thinking of earlier turns was left out');
        break;
      default:
        refuseBlock(block, place, 'text, tool_use, thinking and redacted_thinking');
    }
    mark = { ...mark, ...conversion.cacheMark(block, place) };
  }
  const hasCalls = calls.length > 0;
  return {
    role: 'assistant',
    content: text === '' && hasCalls ? null : text,
    ...(hasCalls ? { tool_calls: calls } : {}),
    ...mark,
  };
}

function toolCall(block: JsonObject, at: string): ChatToolCall {
  onlyFields(block, ['type', 'id', 'name', 'input', 'cache_control', 'caller'], at);
  const { caller } = block;
  if (!isAbsent(caller) && objectAt(caller, `${at}.caller`).type !== 'direct') {
    invalid(`${at}.caller`, 'must be direct: tools are called by the model only');
  }
  return {
    id: nameAt(block.id, `${at}.id`),
    type: 'function',
    function: {
      name: nameAt(block.name, `${at}.name`),
      arguments: JSON.stringify(objectAt(block.input, `${at}.input`)),
    },
  };
}

function blocksOf(content: JsonValue | undefined, at: string): readonly (readonly [JsonObject, string])[] {
  if (!Array.isArray(content)) invalid(at, 'must be a string or a list of blocks');
  return (content as readonly JsonValue[]).map((block, index) => {
    const place = `${at}[${index}]`;
    return [objectAt(block, place), place] as const;
  });
}
