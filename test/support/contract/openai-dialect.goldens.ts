/** Answers of OpenAI's chat dialect, in the form its API reference shows. */
import { API_KEY, FACTS, type Goldens, MODEL_ID, PROMPT } from './adapter-cases';
import type { GoldenAnswer, GoldenStep } from './golden-upstream';

const JSON_HEADERS = { 'content-type': 'application/json', 'x-request-id': FACTS.requestId };
const SSE_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'x-request-id': FACTS.requestId,
};
const USAGE = {
  prompt_tokens: 12,
  completion_tokens: 5,
  total_tokens: 17,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0 },
};
export const REASONING_USAGE = {
  prompt_tokens: 20,
  completion_tokens: 90,
  total_tokens: 110,
  prompt_tokens_details: { cached_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 64 },
};
export const CACHED_USAGE = {
  prompt_tokens: 2006,
  completion_tokens: 10,
  total_tokens: 2016,
  prompt_tokens_details: { cached_tokens: 1920 },
  completion_tokens_details: { reasoning_tokens: 0 },
};
const TOOL_CALLS = FACTS.calls.map((call) => ({
  id: call.id,
  type: 'function',
  function: { name: call.name, arguments: JSON.stringify(call.arguments) },
}));

function completion(message: object, finishReason = 'stop', usage: object = USAGE): GoldenAnswer {
  const body = {
    id: 'chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT',
    object: 'chat.completion',
    created: 1741569952,
    model: MODEL_ID,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: null, refusal: null, annotations: [], ...message },
        logprobs: null,
        finish_reason: finishReason,
      },
    ],
    usage,
    service_tier: 'default',
    system_fingerprint: 'fp_44709d6fcb',
  };
  return { headers: JSON_HEADERS, steps: [JSON.stringify(body, null, 2)] };
}

export function chunk(delta: object, finishReason: string | null = null, index = 0): string {
  return event({ ...ENVELOPE, choices: [{ index, delta, logprobs: null, finish_reason: finishReason }] });
}

const ENVELOPE = {
  id: 'chatcmpl-123',
  object: 'chat.completion.chunk',
  created: 1741569952,
  model: MODEL_ID,
  system_fingerprint: 'fp_44709d6fcb',
  obfuscation: 'aZ3',
};

export function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

export function usageChunk(usage: object): string {
  return event({ ...ENVELOPE, choices: [], usage });
}

export const USAGE_CHUNK = usageChunk(USAGE);
export const DONE = 'data: [DONE]\n\n';

export function sse(...steps: readonly GoldenStep[]): GoldenAnswer {
  return { headers: SSE_HEADERS, steps };
}

const ROLE = chunk({ role: 'assistant', content: '', refusal: null });

function toolDelta(index: number, part: object): string {
  return chunk({ tool_calls: [{ index, ...part }] });
}

function failed(status: number, error: object, headers: Record<string, string> = {}): GoldenAnswer {
  return { status, headers: { ...JSON_HEADERS, ...headers }, steps: [JSON.stringify({ error })] };
}

/** xAI's words for a wrong key, which it says with a 400. */
export const XAI_WRONG_KEY: GoldenAnswer = {
  status: 400,
  headers: JSON_HEADERS,
  steps: [
    JSON.stringify({
      code: 'Client specified an invalid argument',
      error: `Incorrect API key provided: ${API_KEY}. You can obtain an API key from https://console.x.ai.`,
    }),
  ],
};

export const OPENAI_GOLDENS: Goldens = {
  text: completion({ content: FACTS.text }),
  parallelTools: completion({ tool_calls: TOOL_CALLS }, 'tool_calls'),
  jsonSchema: completion({ content: FACTS.json }),
  reasoningUsage: completion({ content: FACTS.text }, 'stop', REASONING_USAGE),
  cachedUsage: completion({ content: FACTS.text }, 'stop', CACHED_USAGE),
  stream: sse(
    ROLE,
    chunk({ content: 'Hello' }),
    ': keep-alive\n\n',
    chunk({ content: ' there.' }),
    chunk({}, 'stop'),
    USAGE_CHUNK,
    DONE,
  ),
  streamTools: sse(
    ROLE,
    toolDelta(0, { id: 'call_a', type: 'function', function: { name: 'get_weather', arguments: '' } }),
    toolDelta(0, { function: { arguments: '{"city":' } }),
    toolDelta(0, { function: { arguments: '"Paris"}' } }),
    toolDelta(1, { id: 'call_b', type: 'function', function: { name: 'get_weather', arguments: '' } }),
    toolDelta(1, { function: { arguments: '{"city":"Rome"}' } }),
    chunk({}, 'tool_calls'),
    USAGE_CHUNK,
    DONE,
  ),
  streamCutMidEvent: sse(
    ROLE,
    chunk({ content: 'Hello' }),
    chunk({ content: ' there.' }).slice(0, 40),
    'CUT',
  ),
  streamEndsEarly: sse(ROLE, chunk({ content: 'Hello' })),
  streamStalls: sse(ROLE, chunk({ content: 'Hello' }), 'STALL'),
  streamNeverBegins: sse('STALL'),
  streamMalformedLine: sse(
    ROLE,
    chunk({ content: 'Hello' }),
    'data: {"id":"chatcmpl-123","choices":[{"ind\n\n',
    chunk({ content: ' there.' }),
    chunk({}, 'stop'),
    USAGE_CHUNK,
    DONE,
  ),
  streamErrorFrame: sse(
    ROLE,
    chunk({ content: 'Hello' }),
    event({
      error: {
        message: 'The server had an error while processing your request. Sorry about that!',
        type: 'server_error',
        param: null,
        code: null,
      },
    }),
  ),
  streamEmpty: sse(),
  contextLength: failed(400, {
    message:
      "This model's maximum context length is 128000 tokens. However, your messages resulted in 130012 tokens. Please reduce the length of the messages.",
    type: 'invalid_request_error',
    param: 'messages',
    code: 'context_length_exceeded',
  }),
  badRequest: failed(400, {
    message: `Invalid value in messages[1].content: '${PROMPT}'.`,
    type: 'invalid_request_error',
    param: 'messages[1].content',
    code: 'invalid_value',
  }),
  unauthorized: failed(401, {
    message: `Incorrect API key provided: ${API_KEY}. You can find your API key at https://platform.openai.com.`,
    type: 'invalid_request_error',
    param: null,
    code: 'invalid_api_key',
  }),
  notFound: failed(404, {
    message: `The model \`${MODEL_ID}\` does not exist or you do not have access to it.`,
    type: 'invalid_request_error',
    param: null,
    code: 'model_not_found',
  }),
  rateLimited: failed(
    429,
    {
      message: 'Rate limit reached for requests. Please try again later.',
      type: 'requests',
      param: null,
      code: 'rate_limit_exceeded',
    },
    { 'retry-after': '7' },
  ),
  serverError: failed(500, {
    message: 'The server had an error while processing your request.',
    type: 'server_error',
    param: null,
    code: null,
  }),
  overloaded: failed(503, {
    message: 'That model is currently overloaded with other requests.',
    type: 'server_error',
    param: null,
    code: null,
  }),
  okWithErrorBody: {
    headers: JSON_HEADERS,
    steps: [JSON.stringify({ error: { message: 'Provider returned error', code: 503 } })],
  },
  wrongContentType: {
    headers: { 'content-type': 'text/html', 'x-request-id': FACTS.requestId },
    steps: ['<!doctype html><title>Welcome</title>'],
  },
  neverAnswers: { headers: JSON_HEADERS, steps: ['STALL'] },
};
