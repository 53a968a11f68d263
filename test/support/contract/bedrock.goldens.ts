/** Answers of Amazon Bedrock's Converse and ConverseStream, in the form its API reference shows. */
import { API_KEY, FACTS, type Goldens, PROMPT } from './adapter-cases';
import { frame } from './event-frame';
import type { GoldenAnswer, GoldenStep } from './golden-upstream';

const JSON_HEADERS = {
  'content-type': 'application/json',
  'x-amzn-requestid': FACTS.requestId,
  date: 'Sat, 21 Nov 2026 04:00:00 GMT',
};
const STREAM_HEADERS = { ...JSON_HEADERS, 'content-type': 'application/vnd.amazon.eventstream' };

export const USAGE = { inputTokens: 12, outputTokens: 5, totalTokens: 17 };
/** 86 fresh, 1,920 read, 0 written: 2,006 in all. */
const CACHED = {
  inputTokens: 86,
  outputTokens: 10,
  totalTokens: 2016,
  cacheReadInputTokens: 1920,
  cacheWriteInputTokens: 0,
};
const THOUGHT = { inputTokens: 20, outputTokens: 90, totalTokens: 110 };
const TEXT = { text: FACTS.text };

export function message(
  content: readonly object[],
  extra: { readonly stopReason?: string; readonly usage?: object } = {},
): GoldenAnswer {
  const body = {
    output: { message: { role: 'assistant', content } },
    stopReason: 'end_turn',
    usage: USAGE,
    metrics: { latencyMs: 412 },
    ...extra,
  };
  return { headers: JSON_HEADERS, steps: [JSON.stringify(body)] };
}

export function event(type: string, payload: object | string): Buffer {
  // Amazon pads every event with `p`, so that its length tells nothing.
  const text = typeof payload === 'string' ? payload : JSON.stringify({ ...payload, p: 'abcdefgh' });
  return frame({ ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' }, text);
}

export function exception(type: string, text: string): Buffer {
  return frame(
    { ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' },
    JSON.stringify({ message: text }),
  );
}

export function stream(...steps: readonly GoldenStep[]): GoldenAnswer {
  return { headers: STREAM_HEADERS, steps };
}

export const START = event('messageStart', { role: 'assistant' });

export function delta(contentBlockIndex: number, content: object): Buffer {
  return event('contentBlockDelta', { contentBlockIndex, delta: content });
}

export function blockStop(contentBlockIndex: number): Buffer {
  return event('contentBlockStop', { contentBlockIndex });
}

export function end(stopReason = 'end_turn', usage: object = USAGE): Buffer[] {
  return [event('messageStop', { stopReason }), event('metadata', { usage, metrics: { latencyMs: 412 } })];
}

export function toolBlock(contentBlockIndex: number, id: string, name: string, input: string): Buffer[] {
  return [
    event('contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId: id, name } } }),
    ...[input.slice(0, 6), input.slice(6)]
      .filter((piece) => piece !== '')
      .map((piece) => delta(contentBlockIndex, { toolUse: { input: piece } })),
    blockStop(contentBlockIndex),
  ];
}

const HELLO = delta(0, { text: 'Hello' });
const THERE = delta(0, { text: ' there.' });
const OPENING = [START, HELLO];

export function failed(
  status: number,
  type: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): GoldenAnswer {
  const errorType = `${type}:http://internal.amazon.com/coral/com.amazon.bedrock/`;
  return {
    status,
    headers: { ...JSON_HEADERS, 'x-amzn-errortype': errorType, ...headers },
    steps: [JSON.stringify({ message: text })],
  };
}

export const BEDROCK_GOLDENS: Goldens = {
  text: message([TEXT]),
  parallelTools: message(
    FACTS.calls.map(({ id, name, arguments: input }) => ({ toolUse: { toolUseId: id, name, input } })),
    { stopReason: 'tool_use' },
  ),
  // A model without a JSON mode of its own is made to call a tool that takes the schema.
  jsonSchema: message(
    [{ toolUse: { toolUseId: 'tooluse_json', name: 'json', input: JSON.parse(FACTS.json) as unknown } }],
    { stopReason: 'tool_use' },
  ),
  reasoningUsage: message(
    [
      { reasoningContent: { reasoningText: { text: 'A greeting will do.', signature: 'EqQBCgIYAhIM1g' } } },
      TEXT,
    ],
    { usage: THOUGHT },
  ),
  cachedUsage: message([TEXT], { usage: CACHED }),
  stream: stream(...OPENING, THERE, blockStop(0), ...end()),
  streamTools: stream(
    START,
    ...FACTS.calls.flatMap(({ id, name, arguments: input }, index) =>
      toolBlock(index, id, name, JSON.stringify(input)),
    ),
    ...end('tool_use'),
  ),
  streamCutMidEvent: stream(...OPENING, THERE.subarray(0, 40), 'CUT'),
  streamEndsEarly: stream(...OPENING),
  streamStalls: stream(...OPENING, 'STALL'),
  streamNeverBegins: stream('STALL'),
  streamMalformedLine: stream(
    ...OPENING,
    event('contentBlockDelta', '{"contentBlockIndex":0,"delta":{"te'),
    THERE,
    blockStop(0),
    ...end(),
  ),
  streamErrorFrame: stream(
    ...OPENING,
    exception('serviceUnavailableException', 'The service is not currently available. Try again later.'),
  ),
  streamEmpty: stream(),
  contextLength: failed(400, 'ValidationException', 'Input is too long for requested model.'),
  badRequest: failed(400, 'ValidationException', `messages.0.content: "${PROMPT}" is not allowed`),
  unauthorized: failed(401, 'UnrecognizedClientException', `The security token ${API_KEY} is invalid.`),
  notFound: failed(404, 'ResourceNotFoundException', 'Could not resolve the foundation model.'),
  rateLimited: failed(429, 'ThrottlingException', 'Too many tokens, please wait before trying again.', {
    'retry-after': '7',
  }),
  serverError: failed(500, 'InternalServerException', 'The system encountered an unexpected error.'),
  overloaded: failed(503, 'ServiceUnavailableException', 'Bedrock is unable to process your request.'),
  okWithErrorBody: failed(200, 'ServiceUnavailableException', 'Bedrock is unable to process your request.'),
  wrongContentType: {
    headers: { 'content-type': 'text/html' },
    steps: ['<html><body>Sign in to the network</body></html>'],
  },
  neverAnswers: { headers: JSON_HEADERS, steps: ['STALL'] },
};
