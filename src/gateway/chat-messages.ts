import { isJsonObject, type JsonObject } from '../common/index';
import type { AppConfig } from '../config/index';
import { invalid } from './invalid';

/** Bounds of the installation. */
export interface ChatLimits {
  readonly maxMessages: number;
  readonly maxTools: number;
  readonly maxPromptChars: number;
}

/** As the administrator has set them. */
export function chatLimits({ vars }: AppConfig): ChatLimits {
  return {
    maxMessages: vars.MAX_MESSAGES,
    maxTools: vars.MAX_TOOLS,
    maxPromptChars: vars.MAX_PROMPT_CHARS,
  };
}

const ROLES = new Set(['system', 'developer', 'user', 'assistant', 'tool', 'function']);

/** @throws ValidationError naming the message and field. */
export function checkMessages(messages: unknown, limits: ChatLimits): void {
  if (!Array.isArray(messages) || messages.length === 0)
    invalid('messages', 'must be a list with at least one message');
  if (messages.length > limits.maxMessages) {
    invalid('messages', `has ${messages.length} entries; at most ${limits.maxMessages} are allowed`);
  }
  let chars = 0;
  for (let index = 0; index < messages.length; index++) chars += checkMessage(messages[index], index);
  if (chars > limits.maxPromptChars) {
    invalid('messages', `hold ${chars} characters of text; at most ${limits.maxPromptChars} are allowed`);
  }
}

/** @returns the characters of text in it. */
function checkMessage(message: unknown, index: number): number {
  const at = `messages[${index}]`;
  if (!isJsonObject(message)) invalid(at, 'must be an object');
  if (typeof message.role !== 'string' || !ROLES.has(message.role)) {
    invalid(`${at}.role`, `must be one of ${[...ROLES].join(', ')}`);
  }
  const calls = message.tool_calls;
  if (calls !== undefined && calls !== null) checkToolCalls(calls, at);
  if (message.role === 'tool' && typeof message.tool_call_id !== 'string') {
    invalid(`${at}.tool_call_id`, 'must name the tool call that this message answers');
  }
  return checkContent(message, at);
}

function checkContent(message: JsonObject, at: string): number {
  const { content } = message;
  if (typeof content === 'string') return content.length;
  if (content === null || content === undefined) {
    if (message.role === 'assistant') return 0;
    invalid(`${at}.content`, 'must be a string or a list of parts');
  }
  if (!Array.isArray(content)) invalid(`${at}.content`, 'must be a string or a list of parts');
  let chars = 0;
  content.forEach((part: unknown, index) => {
    const place = `${at}.content[${index}]`;
    if (!isJsonObject(part) || typeof part.type !== 'string') invalid(`${place}.type`, 'must be a string');
    if (part.type === 'text') {
      if (typeof part.text !== 'string') invalid(`${place}.text`, 'must be a string');
      chars += part.text.length;
    }
    if (part.type === 'image_url')
      checkImageUrl(isJsonObject(part.image_url) ? part.image_url.url : undefined, `${place}.image_url.url`);
    if (part.type === 'input_image') checkImageUrl(part.image_url, `${place}.image_url`);
  });
  return chars;
}

function checkImageUrl(url: unknown, field: string): void {
  if (typeof url !== 'string' || !/^(https?:\/\/|data:image\/)/.test(url)) {
    invalid(field, 'must be an http(s) URL or a data:image/ URL');
  }
}

function checkToolCalls(calls: unknown, at: string): void {
  if (!Array.isArray(calls)) invalid(`${at}.tool_calls`, 'must be a list');
  calls.forEach((call: unknown, index) => {
    const place = `${at}.tool_calls[${index}]`;
    if (!isJsonObject(call) || typeof call.id !== 'string') invalid(`${place}.id`, 'must be a string');
    const fn = call.function;
    if (call.type === 'function' || fn !== undefined) {
      if (!isJsonObject(fn) || typeof fn.name !== 'string')
        invalid(`${place}.function.name`, 'must be a string');
      if (typeof fn.arguments !== 'string')
        invalid(`${place}.function.arguments`, 'must be a string of JSON');
    }
  });
}
