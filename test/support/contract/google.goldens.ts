/** Answers of Google's Gemini API, in the form its API reference and its guides show. */
import { API_KEY, FACTS, type Goldens, MODEL_ID, PROMPT } from './adapter-cases';
import type { GoldenAnswer, GoldenStep } from './golden-upstream';

const JSON_HEADERS = { 'content-type': 'application/json; charset=UTF-8', 'x-request-id': FACTS.requestId };
const SSE_HEADERS = { 'content-type': 'text/event-stream', 'x-request-id': FACTS.requestId };

/** 12 prompt tokens, 5 of completion. Counts that are 0 are left out on the wire. */
export const USAGE = {
  promptTokenCount: 12,
  candidatesTokenCount: 5,
  totalTokenCount: 17,
  promptTokensDetails: [{ modality: 'TEXT', tokenCount: 12 }],
};
const EARLY_USAGE = { promptTokenCount: 12, totalTokenCount: 12 };
const CACHED = {
  promptTokenCount: 2006,
  cachedContentTokenCount: 1920,
  candidatesTokenCount: 10,
  totalTokenCount: 2016,
  cacheTokensDetails: [{ modality: 'TEXT', tokenCount: 1920 }],
};
export const THOUGHT = {
  promptTokenCount: 20,
  candidatesTokenCount: 26,
  thoughtsTokenCount: 64,
  totalTokenCount: 110,
};

export const RESPONSE_ID = 'Il0taoSYJ5Cez7IPr9aC-As';

interface Extra {
  readonly finishReason?: string;
  readonly usageMetadata?: object;
  readonly [field: string]: unknown;
}

/** One GenerateContentResponse. */
export function content(
  parts: readonly object[],
  { finishReason, usageMetadata, ...rest }: Extra = {},
): object {
  return {
    candidates: [
      { content: { parts, role: 'model' }, ...(finishReason && { finishReason }), index: 0, ...rest },
    ],
    usageMetadata: usageMetadata ?? USAGE,
    modelVersion: MODEL_ID,
    responseId: RESPONSE_ID,
  };
}

export function answer(body: object): GoldenAnswer {
  return { headers: JSON_HEADERS, steps: [JSON.stringify(body, null, 2)] };
}

export function message(parts: readonly object[], extra: Extra = {}): GoldenAnswer {
  return answer(content(parts, { finishReason: 'STOP', ...extra }));
}

export function event(data: object): string {
  return `data: ${JSON.stringify(data)}\r\n\r\n`;
}

export function sse(...steps: readonly GoldenStep[]): GoldenAnswer {
  return { headers: SSE_HEADERS, steps };
}

export function functionCall(index: number, thoughtSignature?: string): object {
  const call = FACTS.calls[index];
  if (!call) throw new RangeError(`There is no call ${index}`);
  return {
    functionCall: { id: call.id, name: call.name, args: call.arguments },
    ...(thoughtSignature && { thoughtSignature }),
  };
}

export const TEXT = { text: FACTS.text };
export const HELLO = event(content([{ text: 'Hello' }], { usageMetadata: EARLY_USAGE }));
const THERE = event(content([{ text: ' there.' }], { usageMetadata: EARLY_USAGE }));
export const END = event(content([{ text: '' }], { finishReason: 'STOP' }));

export function failed(
  status: number,
  name: string,
  text: string,
  details?: readonly object[],
): GoldenAnswer {
  const error = { code: status, message: text, status: name, ...(details && { details }) };
  return { status, headers: JSON_HEADERS, steps: [JSON.stringify({ error }, null, 2)] };
}

const OVERLOADED = 'The model is overloaded. Please try again later.';

export const OVERLOADED_EVENT = event({ error: { code: 503, message: OVERLOADED, status: 'UNAVAILABLE' } });

export function quotaDetails(retryDelay: string): readonly object[] {
  return [
    {
      '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
      violations: [
        {
          quotaMetric: 'generativelanguage.googleapis.com/generate_content_paid_tier_input_token_count',
          quotaId: 'GenerateContentPaidTierInputTokensPerModelPerMinute',
        },
      ],
    },
    {
      '@type': 'type.googleapis.com/google.rpc.Help',
      links: [{ description: 'Learn more', url: 'https://ai.google.dev' }],
    },
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay },
  ];
}

export const GOOGLE_GOLDENS: Goldens = {
  text: message([TEXT]),
  parallelTools: message([functionCall(0), functionCall(1)]),
  jsonSchema: message([{ text: FACTS.json }]),
  reasoningUsage: message([{ text: 'A greeting will do.', thought: true }, TEXT], { usageMetadata: THOUGHT }),
  cachedUsage: message([TEXT], { usageMetadata: CACHED }),
  stream: sse(HELLO, THERE, END),
  streamTools: sse(
    event(content([functionCall(0)], { usageMetadata: EARLY_USAGE })),
    event(content([functionCall(1)], { usageMetadata: EARLY_USAGE })),
    END,
  ),
  streamCutMidEvent: sse(HELLO, THERE.slice(0, 40), 'CUT'),
  streamEndsEarly: sse(HELLO, THERE),
  streamStalls: sse(HELLO, 'STALL'),
  streamNeverBegins: sse('STALL'),
  streamMalformedLine: sse(HELLO, 'data: {"candidates": [{"content": {"par\r\n\r\n', THERE, END),
  streamErrorFrame: sse(HELLO, OVERLOADED_EVENT),
  streamEmpty: sse(),
  contextLength: failed(
    400,
    'INVALID_ARGUMENT',
    'The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).',
  ),
  badRequest: failed(400, 'INVALID_ARGUMENT', `Invalid value at 'contents[0]': "${PROMPT}"`),
  unauthorized: failed(401, 'UNAUTHENTICATED', `Request had invalid credentials: ${API_KEY}`),
  notFound: failed(
    404,
    'NOT_FOUND',
    `models/${MODEL_ID} is not found for API version v1beta, or is not supported for generateContent.`,
  ),
  rateLimited: failed(
    429,
    'RESOURCE_EXHAUSTED',
    'You exceeded your current quota, please check your plan and billing details.',
    quotaDetails('7s'),
  ),
  serverError: failed(500, 'INTERNAL', 'An internal error has occurred. Please retry.'),
  overloaded: failed(503, 'UNAVAILABLE', OVERLOADED),
  okWithErrorBody: answer({ error: { code: 503, message: OVERLOADED, status: 'UNAVAILABLE' } }),
  wrongContentType: {
    headers: { 'content-type': 'text/html' },
    steps: ['<html><body>Sign in to the network</body></html>'],
  },
  neverAnswers: { headers: JSON_HEADERS, steps: ['STALL'] },
};
