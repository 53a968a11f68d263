/** Tools of OpenAI's chat dialect in the shape of its Responses API. */
import { type ChatTool, isJsonObject, type JsonObject, type JsonValue } from '../../../common/index';
import { invalidRequest } from '../ai-sdk/invalid-request';

/**
 * Without `strict` the two differ: the Responses API tries to be strict, the chat API is not.
 * @throws ValidationError for tools that the provider would run, and charge for, itself.
 */
export function responsesTool(tool: ChatTool, index: number): JsonObject {
  const { function: fn, custom } = tool as ChatTool & { readonly custom?: JsonObject };
  if (tool.type === 'function' && fn) {
    const { parameters = { type: 'object', properties: {} }, strict, ...rest } = fn;
    return { type: 'function', ...rest, parameters, strict: strict ?? false };
  }
  if (tool.type !== 'custom' || !isJsonObject(custom))
    throw invalidRequest(`tools[${index}].type`, 'must be function or custom');
  const { format, ...rest } = custom;
  return { type: 'custom', ...rest, format: isJsonObject(format) ? customFormat(format) : undefined };
}

function customFormat({ type, grammar, ...rest }: JsonObject): JsonObject {
  return { type, ...(isJsonObject(grammar) ? grammar : {}), ...rest };
}

/** A named function, a custom tool or a list of allowed ones; words are the same in both. */
export function responsesToolChoice(choice: JsonValue | undefined): JsonValue | undefined {
  if (!isJsonObject(choice)) return choice ?? undefined;
  const { type, allowed_tools: allowed } = choice;
  if (!isJsonObject(allowed)) return named(choice);
  const { tools, ...rest } = allowed;
  const names: readonly JsonValue[] = Array.isArray(tools) ? tools : [];
  return { type, ...rest, tools: names.map((tool) => (isJsonObject(tool) ? named(tool) : tool)) };
}

function named({ type, function: fn, custom, ...rest }: JsonObject): JsonObject {
  return { type, ...rest, ...(isJsonObject(fn) ? fn : {}), ...(isJsonObject(custom) ? custom : {}) };
}
