/** Answers of OpenAI's Responses API, in the form its API reference and its guide to streaming show. */
import { FACTS, type Goldens, MODEL_ID } from './adapter-cases';
import type { GoldenAnswer, GoldenStep } from './golden-upstream';
import { OPENAI_GOLDENS } from './openai-dialect.goldens';

const JSON_HEADERS = { 'content-type': 'application/json', 'x-request-id': FACTS.requestId };
const SSE_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'x-request-id': FACTS.requestId,
};

export const USAGE = {
  input_tokens: 12,
  input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
  output_tokens: 5,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 17,
};

export const TEXT_ITEM = {
  id: 'msg_67ccd2bf17f0819081ff3bb2cf6508e6',
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text: FACTS.text, annotations: [], logprobs: [] }],
};

export function reasoningItem(id: string, encrypted: string): object {
  return { id, type: 'reasoning', summary: [], encrypted_content: encrypted, status: 'completed' };
}

export function callItem(index: 0 | 1): object {
  const { id, name, arguments: input } = FACTS.calls[index];
  return {
    id: `fc_${index}`,
    type: 'function_call',
    status: 'completed',
    call_id: id,
    name,
    arguments: JSON.stringify(input),
  };
}

export function response(output: readonly object[], extra: object = {}): object {
  return {
    id: 'resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b',
    object: 'response',
    created_at: 1741476542,
    status: 'completed',
    error: null,
    incomplete_details: null,
    instructions: null,
    model: MODEL_ID,
    output,
    parallel_tool_calls: true,
    service_tier: 'default',
    store: false,
    usage: USAGE,
    ...extra,
  };
}

export function answer(output: readonly object[], extra: object = {}): GoldenAnswer {
  return { headers: JSON_HEADERS, steps: [JSON.stringify(response(output, extra))] };
}

export function event(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: 0, ...data })}\n\n`;
}

export function sse(...steps: readonly GoldenStep[]): GoldenAnswer {
  return { headers: SSE_HEADERS, steps };
}

export const CREATED = event('response.created', {
  response: response([], { status: 'in_progress', usage: null }),
});

export function delta(text: string): string {
  const place = { item_id: TEXT_ITEM.id, output_index: 0, content_index: 0 };
  return event('response.output_text.delta', { ...place, delta: text, logprobs: [] });
}

export function completed(output: readonly object[], extra: object = {}): string {
  return event('response.completed', { response: response(output, extra) });
}

const BEGIN = [
  CREATED,
  event('response.in_progress', { response: response([], { status: 'in_progress', usage: null }) }),
  event('response.output_item.added', {
    output_index: 0,
    item: { ...TEXT_ITEM, status: 'in_progress', content: [] },
  }),
  event('response.content_part.added', {
    item_id: TEXT_ITEM.id,
    output_index: 0,
    content_index: 0,
    part: { type: 'output_text', text: '', annotations: [] },
  }),
  delta('Hello'),
];
const THERE = delta(' there.');
const END = [
  event('response.output_text.done', {
    item_id: TEXT_ITEM.id,
    output_index: 0,
    content_index: 0,
    text: FACTS.text,
  }),
  event('response.output_item.done', { output_index: 0, item: TEXT_ITEM }),
  completed([TEXT_ITEM]),
];

/** A whole call, its arguments in two pieces. */
export function callEvents(index: 0 | 1, place: number = index): string[] {
  const item = callItem(index) as { readonly id: string; readonly arguments: string };
  const at = { item_id: item.id, output_index: place };
  return [
    event('response.output_item.added', {
      output_index: place,
      item: { ...item, status: 'in_progress', arguments: '' },
    }),
    event('response.function_call_arguments.delta', { ...at, delta: item.arguments.slice(0, 6) }),
    event('response.function_call_arguments.delta', { ...at, delta: item.arguments.slice(6) }),
    event('response.function_call_arguments.done', { ...at, arguments: item.arguments }),
    event('response.output_item.done', { output_index: place, item }),
  ];
}

const CALLS = [callItem(0), callItem(1)];
const REASONING = reasoningItem('rs_1', 'gAAAAABo-thought');

/** Refusals by status are those of the chat API. */
export const RESPONSES_GOLDENS: Goldens = {
  ...OPENAI_GOLDENS,
  text: answer([TEXT_ITEM]),
  parallelTools: answer([REASONING, ...CALLS]),
  jsonSchema: answer([
    { ...TEXT_ITEM, content: [{ type: 'output_text', text: FACTS.json, annotations: [] }] },
  ]),
  reasoningUsage: answer([REASONING, TEXT_ITEM], {
    usage: {
      ...USAGE,
      input_tokens: 20,
      output_tokens: 90,
      output_tokens_details: { reasoning_tokens: 64 },
      total_tokens: 110,
    },
  }),
  cachedUsage: answer([TEXT_ITEM], {
    usage: {
      ...USAGE,
      input_tokens: 2006,
      input_tokens_details: { cached_tokens: 1920, cache_write_tokens: 0 },
      output_tokens: 10,
      total_tokens: 2016,
    },
  }),
  stream: sse(...BEGIN, ': keep-alive\n\n', THERE, ...END),
  streamTools: sse(CREATED, ...callEvents(0), ...callEvents(1), completed(CALLS)),
  streamCutMidEvent: sse(...BEGIN, THERE.slice(0, 60), 'CUT'),
  streamEndsEarly: sse(...BEGIN, THERE),
  streamStalls: sse(...BEGIN, 'STALL'),
  streamNeverBegins: sse('STALL'),
  streamMalformedLine: sse(
    ...BEGIN,
    'event: response.output_text.delta\ndata: {"type":"response.output_text.del\n\n',
    THERE,
    ...END,
  ),
  streamErrorFrame: sse(
    ...BEGIN,
    event('error', {
      code: 'server_error',
      message: 'The server had an error while processing your request. Sorry about that!',
      param: null,
    }),
  ),
  streamEmpty: sse(),
  neverAnswers: { headers: JSON_HEADERS, steps: ['STALL'] },
};
