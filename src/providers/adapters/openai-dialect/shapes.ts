/** Which answers can be worked with: everything that is read later has the type that the dialect gives it. */
import { isJsonObject, type JsonObject } from '../../../common/index';

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function isTextOrAbsent(value: unknown): boolean {
  return isAbsent(value) || typeof value === 'string';
}

function isToolCall(call: unknown): boolean {
  if (!isJsonObject(call) || !isTextOrAbsent(call.id)) return false;
  const { function: fn } = call;
  if (isAbsent(fn)) return true;
  return isJsonObject(fn) && isTextOrAbsent(fn.name) && isTextOrAbsent(fn.arguments);
}

/** A message or a delta. */
function isPart(part: unknown): boolean {
  if (isAbsent(part)) return true;
  if (!isJsonObject(part)) return false;
  const { tool_calls: calls } = part;
  return isAbsent(calls) || (Array.isArray(calls) && calls.every(isToolCall));
}

function areChoices(choices: unknown, part: 'message' | 'delta'): boolean {
  return Array.isArray(choices) && choices.every((choice) => isJsonObject(choice) && isPart(choice[part]));
}

/** A `chat.completion` with at least well-formed choices. */
export function isCompletion(body: JsonObject): boolean {
  return areChoices(body.choices, 'message');
}

/** A `chat.completion.chunk`; one without choices may carry usage or what a server adds of its own. */
export function isChunk(chunk: JsonObject): boolean {
  return isAbsent(chunk.choices) || areChoices(chunk.choices, 'delta');
}
