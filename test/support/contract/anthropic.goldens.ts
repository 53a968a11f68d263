/** Answers of Anthropic's Messages API, in the form its API reference and streaming guide show. */
import { API_KEY, FACTS, type Goldens, MODEL_ID, PROMPT } from './adapter-cases';
import type { GoldenAnswer, GoldenStep } from './golden-upstream';

const LIMIT_HEADERS = {
  'anthropic-ratelimit-requests-limit': '4000',
  'anthropic-ratelimit-requests-remaining': '3999',
  'anthropic-ratelimit-requests-reset': '2026-11-21T04:00:00Z',
  'anthropic-organization-id': 'b1f0d6a2-3c5e-4f1a-9a0e-6d7c8b9a0f1e',
};
const JSON_HEADERS = { 'content-type': 'application/json', 'request-id': FACTS.requestId, ...LIMIT_HEADERS };
const SSE_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  'request-id': FACTS.requestId,
  ...LIMIT_HEADERS,
};

/** 12 prompt tokens in all, 5 of completion. */
export const USAGE = {
  input_tokens: 12,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
  output_tokens: 5,
  service_tier: 'standard',
  inference_geo: 'not_available',
};

/** 86 fresh, 1,920 read, 0 written: 2,006 in all. */
const CACHED = { ...USAGE, input_tokens: 86, cache_read_input_tokens: 1920, output_tokens: 10 };
const THOUGHT = {
  ...USAGE,
  input_tokens: 20,
  output_tokens: 90,
  output_tokens_details: { thinking_tokens: 64 },
};

const TEXT = { type: 'text', text: FACTS.text };

export function message(
  content: readonly object[],
  extra: { readonly stop_reason?: string; readonly stop_sequence?: string; readonly usage?: object } = {},
): GoldenAnswer {
  const body = {
    model: MODEL_ID,
    id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
    type: 'message',
    role: 'assistant',
    content,
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: USAGE,
    ...extra,
  };
  return { headers: JSON_HEADERS, steps: [JSON.stringify(body)] };
}

export function event(data: { readonly type: string } & Record<string, unknown>): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

export function sse(...steps: readonly GoldenStep[]): GoldenAnswer {
  return { headers: SSE_HEADERS, steps };
}

export const PING = event({ type: 'ping' });

export function start(usage: object = { ...USAGE, output_tokens: 1 }): string {
  return event({
    type: 'message_start',
    message: {
      model: MODEL_ID,
      id: 'msg_1nZdL29xx5MUA1yADyHTEsnR8uuvGzszyY',
      type: 'message',
      role: 'assistant',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage,
    },
  });
}

export function block(index: number, content: object, ...deltas: readonly object[]): string[] {
  return [
    event({ type: 'content_block_start', index, content_block: content }),
    ...deltas.map((delta) => event({ type: 'content_block_delta', index, delta })),
    event({ type: 'content_block_stop', index }),
  ];
}

export function end(
  stopReason = 'end_turn',
  usage: object = { output_tokens: 5 },
  stopSequence: string | null = null,
): string[] {
  return [
    event({ type: 'message_delta', delta: { stop_reason: stopReason, stop_sequence: stopSequence }, usage }),
    event({ type: 'message_stop' }),
  ];
}

const [BLOCK_START = '', HELLO = '', THERE = '', BLOCK_STOP = ''] = block(
  0,
  { type: 'text', text: '' },
  { type: 'text_delta', text: 'Hello' },
  { type: 'text_delta', text: ' there.' },
);
const OPENING = [start(), BLOCK_START, PING, HELLO];

function toolBlock(index: number): string[] {
  const call = FACTS.calls[index];
  if (!call) throw new RangeError(`There is no call ${index}`);
  const json = JSON.stringify(call.arguments);
  return block(
    index,
    { type: 'tool_use', id: call.id, name: call.name, input: {} },
    { type: 'input_json_delta', partial_json: '' },
    { type: 'input_json_delta', partial_json: json.slice(0, 6) },
    { type: 'input_json_delta', partial_json: json.slice(6) },
  );
}

export function failed(
  status: number,
  type: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): GoldenAnswer {
  const body = { type: 'error', error: { type, message: text }, request_id: FACTS.requestId };
  return { status, headers: { ...JSON_HEADERS, ...headers }, steps: [JSON.stringify(body)] };
}

export const OVERLOADED_EVENT = event({
  type: 'error',
  error: { type: 'overloaded_error', message: 'Overloaded' },
});

export const ANTHROPIC_GOLDENS: Goldens = {
  text: message([TEXT]),
  parallelTools: message(
    FACTS.calls.map((call) => ({ type: 'tool_use', id: call.id, name: call.name, input: call.arguments })),
    { stop_reason: 'tool_use' },
  ),
  jsonSchema: message([{ type: 'text', text: FACTS.json }]),
  reasoningUsage: message(
    [{ type: 'thinking', thinking: 'A greeting will do.', signature: 'EqQBCgIYAhIM1gbcDa9GJwZA' }, TEXT],
    { usage: THOUGHT },
  ),
  cachedUsage: message([TEXT], { usage: CACHED }),
  stream: sse(...OPENING, THERE, BLOCK_STOP, ...end()),
  streamTools: sse(start(), ...toolBlock(0), PING, ...toolBlock(1), ...end('tool_use')),
  streamCutMidEvent: sse(...OPENING, THERE.slice(0, 40), 'CUT'),
  streamEndsEarly: sse(...OPENING),
  streamStalls: sse(...OPENING, 'STALL'),
  streamNeverBegins: sse('STALL'),
  streamMalformedLine: sse(
    ...OPENING,
    'event: content_block_delta\ndata: {"type": "content_block_\n\n',
    THERE,
    BLOCK_STOP,
    ...end(),
  ),
  streamErrorFrame: sse(...OPENING, OVERLOADED_EVENT),
  streamEmpty: sse(),
  contextLength: failed(400, 'invalid_request_error', 'prompt is too long: 208310 tokens > 200000 maximum'),
  badRequest: failed(400, 'invalid_request_error', `messages.0.content: "${PROMPT}" is not allowed`),
  unauthorized: failed(401, 'authentication_error', `invalid x-api-key ${API_KEY}`),
  notFound: failed(404, 'not_found_error', `model: ${MODEL_ID}`),
  rateLimited: failed(
    429,
    'rate_limit_error',
    'This request would exceed the rate limit for your organization of 400,000 input tokens per minute.',
    { 'retry-after': '7' },
  ),
  serverError: failed(500, 'api_error', 'Internal server error'),
  overloaded: failed(529, 'overloaded_error', 'Overloaded'),
  okWithErrorBody: failed(200, 'overloaded_error', 'Overloaded'),
  wrongContentType: {
    headers: { 'content-type': 'text/html' },
    steps: ['<html><body>Sign in to the network</body></html>'],
  },
  neverAnswers: { headers: JSON_HEADERS, steps: ['STALL'] },
};
