/**
 * A request of Anthropic's Messages API as the chat request that everything behind the gateway works with. Every field
 * is converted, refused, or listed in the warnings; none is dropped in silence. What only some models take is kept: the
 * attempts at the others leave it out.
 */
import type { ChatBody, ChatRequest, JsonObject } from '../../common/index';
import { checkNumber, MAX_STOPS, MAX_TOKENS } from '../chat-body';
import type { ChatLimits } from '../chat-messages';
import { invalid } from '../invalid';
import { jsonBody, jsonBytes } from '../json-body';
import { latticeOptions, type LatticeHeaders } from '../lattice-options';
import { Conversion, isAbsent, listAt, nameAt, objectAt, onlyFields, textAt } from './conversion';
import { conversationMessages, systemMessages } from './request-messages';
import { outputFields, showsThinking } from './request-output';
import { toolFields } from './request-tools';

const FIELDS = [
  'model',
  'messages',
  'max_tokens',
  'system',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'stream',
  'metadata',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'cache_control',
  'service_tier',
  'speed',
  'lattice',
  'models',
];
/** They change nothing about what the answer is. */
const HINTS = ['context_management', 'diagnostics', 'user_profile_id', 'workspace_id'];

export interface MessagesRequest {
  readonly chat: ChatRequest;
  readonly showsThinking: boolean;
  readonly stopSequences: readonly string[];
}

/** @throws ValidationError naming the field as the caller wrote it, and the rule. */
export function toChatRequest(
  received: unknown,
  headers: LatticeHeaders,
  limits: ChatLimits,
): MessagesRequest {
  const raw = jsonBody(received);
  const model = nameAt(raw.model, 'model');
  const options = latticeOptions(raw.lattice, raw.models, headers);
  const conversion = new Conversion(limits);
  checkFields(raw, headers, conversion);
  const body: ChatBody = {
    model,
    messages: withCacheMark(raw, conversion, [
      ...systemMessages(raw.system, conversion),
      ...conversationMessages(raw.messages, conversion),
    ]),
    max_tokens: raw.max_tokens as number,
    ...samplingFields(raw),
    ...accountFields(raw),
    ...toolFields(raw, conversion, options.tools.length > 0),
    ...outputFields(raw, conversion),
  };
  return {
    chat: Object.freeze({
      body,
      options,
      bodyBytes: jsonBytes(body),
      dialect: 'messages' as const,
      warnings: conversion.warnings,
    }),
    showsThinking: showsThinking(raw),
    stopSequences: (body.stop as readonly string[] | undefined) ?? [],
  };
}

function checkFields(raw: JsonObject, headers: LatticeHeaders, conversion: Conversion): void {
  for (const field of Object.keys(raw)) {
    if (FIELDS.includes(field) || isAbsent(raw[field])) continue;
    if (!HINTS.includes(field)) invalid(field.slice(0, 100), 'is not supported here: leave it out');
    conversion.warn(`${field} was left out`);
  }
  if (headers['anthropic-beta'] !== undefined) conversion.warn('the header anthropic-beta was not passed on');
  if (isAbsent(raw.max_tokens)) invalid('max_tokens', 'is required: the most tokens the answer may have');
  checkNumber(raw, 'max_tokens', { min: 1, max: MAX_TOKENS, isInteger: true });
  checkNumber(raw, 'temperature', { min: 0, max: 1 });
  checkNumber(raw, 'top_p', { min: 0, max: 1 });
  checkNumber(raw, 'top_k', { min: 0, max: Number.MAX_SAFE_INTEGER, isInteger: true });
  if (!isAbsent(raw.stream) && typeof raw.stream !== 'boolean') invalid('stream', 'must be true or false');
  if (!isAbsent(raw.speed) && raw.speed !== 'standard')
    invalid('speed', 'must be standard: other speeds are priced otherwise');
}

function samplingFields(raw: JsonObject): JsonObject {
  const { temperature, top_p: topP, top_k: topK, stop_sequences: stops, stream } = raw;
  return {
    ...(isAbsent(temperature) ? {} : { temperature }),
    ...(isAbsent(topP) ? {} : { top_p: topP }),
    ...(isAbsent(topK) ? {} : { top_k: topK }),
    ...(isAbsent(stops) ? {} : stopField(stops)),
    ...(stream === true ? { stream } : {}),
  };
}

function stopField(value: JsonObject[string]): JsonObject {
  const stop = listAt(value, 'stop_sequences').map((text, index) => nameAt(text, `stop_sequences[${index}]`));
  if (stop.length > MAX_STOPS) invalid('stop_sequences', `must be at most ${MAX_STOPS} strings`);
  return stop.length > 0 ? { stop } : {};
}

function accountFields({ metadata, service_tier: tier }: JsonObject): JsonObject {
  const about = isAbsent(metadata) ? {} : objectAt(metadata, 'metadata');
  onlyFields(about, ['user_id'], 'metadata');
  if (!isAbsent(tier) && tier !== 'auto' && tier !== 'standard_only') {
    invalid('service_tier', 'must be auto or standard_only');
  }
  return {
    ...(isAbsent(about.user_id) ? {} : { user: textAt(about.user_id, 'metadata.user_id') }),
    ...(isAbsent(tier) ? {} : { service_tier: tier === 'auto' ? 'auto' : 'default' }),
  };
}

/** A mark on the whole request stands behind its last block. */
function withCacheMark(
  raw: JsonObject,
  conversion: Conversion,
  messages: ChatBody['messages'],
): ChatBody['messages'] {
  const mark = conversion.cacheMark(raw, 'body');
  const last = messages.at(-1);
  return last && mark.cache_control ? [...messages.slice(0, -1), { ...last, ...mark }] : messages;
}
