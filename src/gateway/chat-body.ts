/**
 * Validation of a chat.completions body. Known fields must have OpenAI's types and bounds; unknown ones are kept for
 * OpenAI-dialect upstreams. Written by hand because it runs on every request.
 */
import {
  type ChatBody,
  type ChatRequest,
  isJsonObject,
  type JsonObject,
  type LatticeOptions,
} from '../common/index';
import { latticeOptions, type LatticeHeaders } from './lattice-options';
import { type ChatLimits, checkMessages } from './chat-messages';
import { invalid } from './invalid';
import { growthBytes, jsonBody, jsonBytes } from './json-body';

export const MAX_STOPS = 16;
/** Of any output limit. */
export const MAX_TOKENS = 10_000_000;
const MAX_CHOICES = 128;
export const TOOL_NAME = /^[a-zA-Z0-9_.-]{1,128}$/;

/**
 * @param receivedBytes size of the JSON text as received; undefined: it is measured.
 * @throws ValidationError naming the field and the rule.
 */
export function parseChatRequest(
  raw: unknown,
  headers: LatticeHeaders,
  receivedBytes: number | undefined,
  limits: ChatLimits,
): ChatRequest {
  const { lattice, models, ...body } = jsonBody(raw);
  if (typeof body.model !== 'string' || body.model === '') {
    invalid('model', 'must name a model, for instance "auto"');
  }
  checkMessages(body.messages, limits);
  checkNumbers(body);
  checkFlags(body);
  checkIdentifiers(body);
  checkTools(body, limits);
  checkFormat(body);
  const options: LatticeOptions = latticeOptions(lattice, models, headers);
  const bodyBytes = receivedBytes === undefined ? jsonBytes(body) : receivedBytes + growthBytes(body);
  return Object.freeze({ body: body as unknown as ChatBody, options, bodyBytes });
}

/** @throws ValidationError when the field is there and is not such a number. */
export function checkNumber(
  body: JsonObject,
  field: string,
  bounds: { min: number; max: number; isInteger?: boolean },
): void {
  const value = body[field];
  if (value === undefined || value === null) return;
  const { min, max, isInteger = false } = bounds;
  const isGood =
    typeof value === 'number' && value >= min && value <= max && (!isInteger || Number.isInteger(value));
  if (!isGood) invalid(field, `must be ${isInteger ? 'an integer' : 'a number'} between ${min} and ${max}`);
}

function checkIdentifiers(body: JsonObject): void {
  for (const field of ['user', 'safety_identifier']) {
    const value = body[field];
    if (value !== undefined && value !== null && typeof value !== 'string')
      invalid(field, 'must be a string');
  }
}

function checkNumbers(body: JsonObject): void {
  checkNumber(body, 'temperature', { min: 0, max: 2 });
  checkNumber(body, 'top_p', { min: 0, max: 1 });
  checkNumber(body, 'presence_penalty', { min: -2, max: 2 });
  checkNumber(body, 'frequency_penalty', { min: -2, max: 2 });
  checkNumber(body, 'n', { min: 1, max: MAX_CHOICES, isInteger: true });
  checkNumber(body, 'max_tokens', { min: 1, max: MAX_TOKENS, isInteger: true });
  checkNumber(body, 'max_completion_tokens', { min: 1, max: MAX_TOKENS, isInteger: true });
  checkNumber(body, 'top_logprobs', { min: 0, max: 20, isInteger: true });
  checkNumber(body, 'seed', { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, isInteger: true });
}

function checkFlags(body: JsonObject): void {
  for (const field of ['stream', 'logprobs', 'parallel_tool_calls', 'store']) {
    const value = body[field];
    if (value !== undefined && value !== null && typeof value !== 'boolean')
      invalid(field, 'must be true or false');
  }
  const { stop } = body;
  const isStop =
    stop === undefined ||
    stop === null ||
    typeof stop === 'string' ||
    (Array.isArray(stop) && stop.length <= MAX_STOPS && stop.every((item) => typeof item === 'string'));
  if (!isStop) invalid('stop', `must be a string or a list of at most ${MAX_STOPS} strings`);
  const options = body.stream_options;
  if (options === undefined || options === null) return;
  if (!isJsonObject(options)) invalid('stream_options', 'must be an object');
  if (body.stream !== true) invalid('stream_options', 'is allowed only together with stream: true');
}

function checkTools(body: JsonObject, limits: ChatLimits): void {
  const { tools } = body;
  if (tools === undefined || tools === null) return;
  if (!Array.isArray(tools)) invalid('tools', 'must be a list');
  if (tools.length > limits.maxTools)
    invalid('tools', `has ${tools.length} entries; at most ${limits.maxTools} are allowed`);
  tools.forEach((tool: unknown, index) => {
    if (!isJsonObject(tool) || typeof tool.type !== 'string')
      invalid(`tools[${index}].type`, 'must be a string');
    if (tool.type !== 'function') return;
    const name = isJsonObject(tool.function) ? tool.function.name : undefined;
    if (typeof name !== 'string' || !TOOL_NAME.test(name)) {
      invalid(
        `tools[${index}].function.name`,
        'must be 1 to 128 letters, digits, dots, dashes or underscores',
      );
    }
  });
}

const FORMATS = new Set(['text', 'json_object', 'json_schema']);

function checkFormat(body: JsonObject): void {
  const format = body.response_format;
  if (format === undefined || format === null) return;
  if (!isJsonObject(format) || typeof format.type !== 'string' || !FORMATS.has(format.type)) {
    invalid('response_format.type', 'must be text, json_object or json_schema');
  }
  if (format.type !== 'json_schema') return;
  if (!isJsonObject(format.json_schema)) invalid('response_format.json_schema', 'must be an object');
  if (typeof format.json_schema.name !== 'string')
    invalid('response_format.json_schema.name', 'must be a string');
}
