/**
 * A chat completion request as a request of OpenAI's Responses API. Fields of the same name and meaning, and those that
 * nobody here knows, go on as they stand; what has no counterpart stands in the warnings.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  type ChatBody,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  requestedMaxTokens,
} from '../../../common/index';
import type { ChatCall } from '../../provider.port';
import { inputItems, unreadMessageFields } from './request-input';
import { responsesTool, responsesToolChoice } from './request-tools';
import type { RecalledThoughts } from './thoughts';

export interface ResponsesRequest {
  readonly body: JsonObject;
  readonly warnings: readonly string[];
}

const CONVERTED = new Set([
  'model',
  'messages',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'tools',
  'tool_choice',
  'response_format',
  'reasoning_effort',
  'verbosity',
  'logprobs',
  'store',
]);
/** Chat only. */
const WITHOUT_COUNTERPART = [
  'n',
  'stop',
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'logit_bias',
  'prediction',
  'modalities',
  'audio',
  'web_search_options',
  'functions',
  'function_call',
];
/** Of the Responses API itself. Some reach into what the account has stored, whoever stored it there. */
const RESERVED = [
  'input',
  'instructions',
  'previous_response_id',
  'conversation',
  'prompt',
  'background',
  'include',
  'text',
  'reasoning',
  'max_output_tokens',
  'context_management',
];
const LEFT_OUT = new Set([...WITHOUT_COUNTERPART, ...RESERVED]);
/** What a field has when it asks for nothing. */
const NEUTRAL: Readonly<Record<string, JsonValue>> = {
  n: 1,
  presence_penalty: 0,
  frequency_penalty: 0,
  modalities: ['text'],
};

/** Does the chat API refuse this to models that call tools over the Responses API only? */
export function usesTools({ tools, messages }: ChatBody): boolean {
  return (
    isFilled(tools) || messages.some(({ role, tool_calls: calls }) => role === 'tool' || isFilled(calls))
  );
}

/**
 * The answer is not stored unless the caller says so, as in the chat API; its thoughts come encrypted instead.
 * @throws ValidationError naming a message or a tool that has no counterpart.
 */
export function responsesRequest(
  { body, model }: ChatCall,
  thoughts: RecalledThoughts,
  isStream: boolean,
): ResponsesRequest {
  const left = [...leftOut(body), ...unreadMessageFields(body.messages)];
  return {
    warnings: left.map((field) => `${field} is not supported by ${model.id} with tools and was left out`),
    body: {
      ...sharedFields(body),
      model: model.upstreamId,
      input: inputItems(body.messages, thoughts),
      ...(isStream ? { stream: true, stream_options: streamOptions(body) } : {}),
      store: body.store ?? false,
      include: included(body, model.supports.reasoning),
      max_output_tokens: requestedMaxTokens(body),
      tools: body.tools?.map(responsesTool),
      tool_choice: responsesToolChoice(body.tool_choice),
      text: textOptions(body),
      reasoning: isSet(body.reasoning_effort) ? { effort: body.reasoning_effort } : undefined,
    },
  };
}

function sharedFields(body: ChatBody): JsonObject {
  const isShared = ([field, value]: readonly [string, unknown]): boolean =>
    isSet(value) && !CONVERTED.has(field) && !LEFT_OUT.has(field);
  return Object.fromEntries(Object.entries(body).filter(isShared));
}

function leftOut(body: ChatBody): string[] {
  return Object.keys(body).filter((field) => {
    const value = body[field];
    const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
    return LEFT_OUT.has(field) && isSet(value) && !isEmpty && !isDeepStrictEqual(value, NEUTRAL[field]);
  });
}

function included(body: ChatBody, isReasoning: boolean): string[] | undefined {
  const names = [
    ...(isReasoning ? ['reasoning.encrypted_content'] : []),
    ...(body.logprobs === true ? ['message.output_text.logprobs'] : []),
  ];
  return names.length > 0 ? names : undefined;
}

/** The usage comes anyway. */
function streamOptions({ stream_options: options }: ChatBody): JsonObject | undefined {
  const { include_usage: _usage, ...rest } = options ?? {};
  return Object.keys(rest).length > 0 ? rest : undefined;
}

function textOptions({ response_format: format, verbosity }: ChatBody): JsonObject | undefined {
  if (!isSet(format) && !isSet(verbosity)) return undefined;
  const { json_schema: schema, ...rest } = format ?? {};
  return {
    ...(isJsonObject(format) ? { format: { ...rest, ...schema } } : {}),
    ...(isSet(verbosity) ? { verbosity } : {}),
  };
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isFilled(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0;
}
