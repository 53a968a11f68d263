/**
 * A request of OpenAI's Responses API as the chat request that everything behind the gateway works with. Every field is
 * converted, refused, or listed in the warnings; none is dropped in silence.
 */
import { type ChatBody, type ChatRequest, isJsonObject, type JsonObject } from '../../common/index';
import { checkNumber } from '../chat-body';
import type { ChatLimits } from '../chat-messages';
import { invalid } from '../invalid';
import { jsonBody, jsonBytes } from '../json-body';
import { latticeOptions, type LatticeHeaders } from '../lattice-options';
import { Conversion, isAbsent, listAt, nameAt, objectAt, onlyFields, textAt } from '../messages/conversion';
import { echoOf } from './echo';
import { chatMessages, type PlacedItem } from './request-items';
import { outputFields, showsSummary } from './request-output';
import { toolFields } from './request-tools';

const MAX_TOKENS = 10_000_000;
const METADATA = { pairs: 16, keyLength: 64, valueLength: 512 };
const FIELDS = [
  'model',
  'input',
  'instructions',
  'stream',
  'stream_options',
  'store',
  'previous_response_id',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'text',
  'reasoning',
  'max_output_tokens',
  'temperature',
  'top_p',
  'metadata',
  'user',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'service_tier',
  'truncation',
  'lattice',
  'models',
];
/** What each has when it asks for nothing. */
const NEUTRAL: JsonObject = { background: false, top_logprobs: 0 };
/** They change nothing about what the answer is, or concern tools that are refused anyway. */
const HINTS = ['include', 'max_tool_calls', 'context_management', 'prompt_cache_options'];
/** Fields of the chat dialect with the same name and meaning. */
const SHARED = [
  'temperature',
  'top_p',
  'user',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'service_tier',
];

export interface ResponsesRequest {
  readonly chat: ChatRequest;
  /** Seconds since the epoch. */
  readonly createdAt: number;
  /** What this request adds to the conversation. */
  readonly input: readonly JsonObject[];
  /** The fields of the request that the response repeats. */
  readonly echo: JsonObject;
  readonly previousId?: string;
  readonly isStored: boolean;
  readonly showsSummary: boolean;
}

/** The conversation so far, behind `previous_response_id`. */
export interface Previous {
  /** UUID. */
  readonly id: string;
  readonly items: readonly JsonObject[];
}

/**
 * @param previous what `previous_response_id` stands for, if it was sent.
 * @throws ValidationError naming the field as the caller wrote it, and the rule.
 */
export function toChatRequest(
  received: unknown,
  headers: LatticeHeaders,
  limits: ChatLimits,
  previous?: Previous,
): ResponsesRequest {
  const raw = jsonBody(received);
  const model = nameAt(raw.model, 'model');
  const options = latticeOptions(raw.lattice, raw.models, headers);
  const conversion = new Conversion(limits, 'input');
  checkFields(raw, conversion);
  const input = inputItems(raw);
  const body: ChatBody = {
    model,
    messages: [
      ...instructions(raw, conversion),
      ...conversationOf(placed(previous, input, conversion), conversion),
    ],
    ...(isAbsent(raw.max_output_tokens) ? {} : { max_tokens: raw.max_output_tokens as number }),
    ...sharedFields(raw),
    ...(raw.stream === true ? { stream: true } : {}),
    ...toolFields(raw, conversion, options.tools.length > 0),
    ...outputFields(raw, conversion),
  };
  return {
    chat: Object.freeze({
      body,
      options,
      bodyBytes: jsonBytes(body),
      dialect: 'responses' as const,
      warnings: conversion.warnings,
    }),
    createdAt: Math.floor(Date.now() / 1000),
    input,
    echo: echoOf(raw),
    previousId: previous?.id,
    isStored: raw.store !== false,
    showsSummary: showsSummary(raw),
  };
}

/** Before anything is looked up for them. @throws ValidationError when the request has more items than allowed. */
export function checkItemCount(raw: unknown, limits: ChatLimits): void {
  if (isJsonObject(raw) && Array.isArray(raw.input)) checkCount(raw.input.length, limits);
}

/** The id that a request goes on from, before anything else is known of it. */
export function previousIdOf(raw: unknown): string | undefined {
  const id = isJsonObject(raw) ? raw.previous_response_id : undefined;
  return isAbsent(id) ? undefined : nameAt(id, 'previous_response_id');
}

function checkFields(raw: JsonObject, conversion: Conversion): void {
  for (const field of Object.keys(raw)) {
    if (FIELDS.includes(field) || isAbsent(raw[field]) || raw[field] === NEUTRAL[field]) continue;
    if (!HINTS.includes(field)) invalid(field.slice(0, 100), 'is not supported here: leave it out');
    conversion.warn(`${field} was left out`);
  }
  checkNumber(raw, 'max_output_tokens', { min: 1, max: MAX_TOKENS, isInteger: true });
  checkNumber(raw, 'temperature', { min: 0, max: 2 });
  checkNumber(raw, 'top_p', { min: 0, max: 1 });
  for (const field of ['stream', 'store']) {
    if (!isAbsent(raw[field]) && typeof raw[field] !== 'boolean') invalid(field, 'must be true or false');
  }
  checkTruncation(raw, conversion);
  checkStreamOptions(raw, conversion);
  checkMetadata(raw);
}

function checkTruncation({ truncation }: JsonObject, conversion: Conversion): void {
  if (isAbsent(truncation) || truncation === 'disabled') return;
  if (truncation !== 'auto') invalid('truncation', 'must be auto or disabled');
  conversion.warn('truncation was left out: what is too long for a model is refused');
}

function checkStreamOptions({ stream, stream_options: value }: JsonObject, conversion: Conversion): void {
  if (isAbsent(value)) return;
  const options = objectAt(value, 'stream_options');
  onlyFields(options, ['include_obfuscation'], 'stream_options');
  if (stream !== true) invalid('stream_options', 'is allowed only together with stream: true');
  if (options.include_obfuscation === true)
    conversion.warn('stream_options.include_obfuscation was left out');
}

function checkMetadata({ metadata }: JsonObject): void {
  if (isAbsent(metadata)) return;
  const { pairs, keyLength, valueLength } = METADATA;
  const entries = Object.entries(objectAt(metadata, 'metadata'));
  if (entries.length > pairs) invalid('metadata', `must be at most ${pairs} pairs`);
  for (const [key, value] of entries) {
    if (key.length > keyLength) invalid('metadata', `must have keys of at most ${keyLength} characters`);
    if (typeof value !== 'string' || value.length > valueLength)
      invalid(`metadata.${key}`, `must be a string of at most ${valueLength} characters`);
  }
}

function instructions(raw: JsonObject, conversion: Conversion): ChatBody['messages'] {
  const { instructions: text } = raw;
  if (isAbsent(text) || text === '') return [];
  return [{ role: 'system', content: conversion.text(text, 'instructions') }];
}

/** A string is one message of the user. */
function inputItems({ input }: JsonObject): readonly JsonObject[] {
  if (typeof input === 'string') {
    return [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: input }] }];
  }
  if (isAbsent(input)) invalid('input', 'is required: a string or a list of items');
  const items = listAt(input, 'input').map((item, index) => objectAt(item, `input[${index}]`));
  if (items.length === 0) invalid('input', 'must hold at least one item');
  return items;
}

function checkCount(count: number, { maxMessages }: ChatLimits, whose = ''): void {
  if (count > maxMessages) invalid('input', `has ${count} items${whose}; at most ${maxMessages} are allowed`);
}

function placed(
  previous: Previous | undefined,
  input: readonly JsonObject[],
  { limits }: Conversion,
): readonly PlacedItem[] {
  const before = previous?.items ?? [];
  const whose = before.length > 0 ? ', with those that previous_response_id stands for' : '';
  checkCount(before.length + input.length, limits, whose);
  return [
    ...before.map((item, index) => ({ item, at: `previous_response_id[${index}]` })),
    ...input.map((item, index) => ({ item, at: `input[${index}]` })),
  ];
}

function conversationOf(items: readonly PlacedItem[], conversion: Conversion): ChatBody['messages'] {
  const messages = chatMessages(items, conversion);
  if (messages.length === 0)
    invalid('input', 'must hold a message or a tool result: nothing of it is sent on');
  return messages;
}

function sharedFields(raw: JsonObject): JsonObject {
  const shared: Record<string, JsonObject[string]> = {};
  for (const field of SHARED) {
    const value = raw[field];
    if (isAbsent(value)) continue;
    shared[field] = typeof value === 'number' ? value : textAt(value, field);
  }
  return shared;
}
