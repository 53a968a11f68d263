/**
 * The contract of every provider adapter, as one table of cases over byte-exact upstream answers.
 *
 * To add an adapter: write a `ContractRow` (see `openai-dialect.goldens.ts`) and call `runContract(row)` from
 * `test/contract/<name>.contract-spec.ts`.
 * - `goldens` holds one answer per case in the vendor's own dialect, from its documentation. The facts every answer
 *   must carry stand in `FACTS` and beside the name of the case in `Goldens`; the assertions are shared.
 * - `create(baseUrl)` builds the adapter on that base URL with `API_KEY` as its credential. Golden base URLs have the
 *   form `http://127.0.0.1:<port>/g/<scenario>`; `chatPath` and `streamPath` are what is expected below it.
 * - `received` asserts the request in the vendor's dialect, case by case; the suite itself checks path and credential.
 * - `mockPath` is appended to aimock's URL for the cases that talk to aimock itself.
 */
import type { CatalogModel } from '../../../src/catalog/index';
import type { ChatBody } from '../../../src/common/index';
import type { ProviderAdapter, ProviderFault } from '../../../src/providers/index';
import type { GoldenAnswer, ReceivedRequest } from './golden-upstream';

export const API_KEY = 'test-credential-0123456789abcdef';
export const MODEL_ID = 'test-model-1';

/** What the answers say; every golden must carry exactly this. */
export const FACTS = {
  text: 'Hello there.',
  requestId: 'upstream-request-7',
  json: '{"city":"Paris"}',
  calls: [
    { id: 'call_a', name: 'get_weather', arguments: { city: 'Paris' } },
    { id: 'call_b', name: 'get_weather', arguments: { city: 'Rome' } },
  ],
  usage: { promptTokens: 12, completionTokens: 5 },
  reasoning: { promptTokens: 20, completionTokens: 90, reasoningTokens: 64 },
  cached: { promptTokens: 2006, cachedReadTokens: 1920, completionTokens: 10 },
} as const;

/** One golden answer per case. */
export interface Goldens {
  /** FACTS.text, a normal stop, FACTS.usage, the model MODEL_ID, FACTS.requestId in the vendor's header. */
  readonly text: GoldenAnswer;
  /** Both FACTS.calls in one answer, stopped for tool calls, FACTS.usage. */
  readonly parallelTools: GoldenAnswer;
  /** FACTS.json as the text of the answer. */
  readonly jsonSchema: GoldenAnswer;
  /** FACTS.text with FACTS.reasoning; a vendor that does not tell reasoning tokens sets `tells.reasoning: false`. */
  readonly reasoningUsage: GoldenAnswer;
  /** FACTS.text with FACTS.cached. */
  readonly cachedUsage: GoldenAnswer;
  /** FACTS.text in several deltas, a normal stop, FACTS.usage at the end, FACTS.requestId. */
  readonly stream: GoldenAnswer;
  /** Both FACTS.calls streamed, arguments in pieces. */
  readonly streamTools: GoldenAnswer;
  /** At least one delta with text, then a socket cut in the middle of an event. */
  readonly streamCutMidEvent: GoldenAnswer;
  /** At least one delta with text, then a clean end of the answer without the vendor's last events. */
  readonly streamEndsEarly: GoldenAnswer;
  /** At least one delta with text, then STALL. */
  readonly streamStalls: GoldenAnswer;
  /** Headers of a stream, then STALL. */
  readonly streamNeverBegins: GoldenAnswer;
  /** The stream case with one event in the middle that is not valid JSON. */
  readonly streamMalformedLine: GoldenAnswer;
  /** At least one delta with text, then the vendor's error event for an overload. */
  readonly streamErrorFrame: GoldenAnswer;
  /** An event stream that ends at once. */
  readonly streamEmpty: GoldenAnswer;
  /** 400, the prompt is too long, in the vendor's words. */
  readonly contextLength: GoldenAnswer;
  /** 400 for another reason, whose message repeats PROMPT. */
  readonly badRequest: GoldenAnswer;
  /** 401 whose message repeats API_KEY. */
  readonly unauthorized: GoldenAnswer;
  readonly notFound: GoldenAnswer;
  /** 429 with `retry-after: 7`. */
  readonly rateLimited: GoldenAnswer;
  readonly serverError: GoldenAnswer;
  /** The vendor's own word for "overloaded" (503, 529). */
  readonly overloaded: GoldenAnswer;
  /** 200, JSON, an error object of the kind "overloaded" in place of an answer. */
  readonly okWithErrorBody: GoldenAnswer;
  /** 200 with an HTML page. */
  readonly wrongContentType: GoldenAnswer;
  /** Headers of an ordinary answer, then STALL. */
  readonly neverAnswers: GoldenAnswer;
}

export type GoldenName = keyof Goldens;

export interface ContractRow {
  readonly name: string;
  readonly model: CatalogModel;
  readonly goldens: Goldens;
  /** Below the scenario's base URL, query included. */
  readonly chatPath: string;
  /** Where streams go, when that differs. */
  readonly streamPath?: string;
  readonly credentialHeader: readonly [name: string, value: string | undefined];
  /** Appended to aimock's URL; absent when aimock does not speak the dialect. */
  readonly mockPath?: string;
  /** What this vendor does not tell, so that the suite does not expect it. */
  readonly tells?: { readonly reasoning?: boolean; readonly malformedLines?: boolean };
  /** Asserts the request of a case in the vendor's dialect. */
  readonly received?: Partial<
    Record<GoldenName | 'toolResult' | 'image', (request: ReceivedRequest) => void>
  >;
  create(baseUrl: string): ProviderAdapter;
}

export const PROMPT = 'Describe the violet lighthouse of Port Nowhere in one line.';

const WEATHER_TOOL = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Current weather of a city',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
  },
} as const;

const ask = (extra: Partial<ChatBody> = {}): ChatBody => ({
  model: MODEL_ID,
  messages: [
    { role: 'system', content: 'Answer briefly.' },
    { role: 'user', content: PROMPT },
  ],
  max_tokens: 256,
  ...extra,
});

/** A 1×1 PNG. */
export const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** The requests, in OpenAI's dialect. Factories: nobody can change another test's body. */
export const REQUESTS = {
  text: () => ask(),
  tools: () => ask({ tools: [WEATHER_TOOL], tool_choice: 'auto' }),
  toolResult: () =>
    ask({
      tools: [WEATHER_TOOL],
      messages: [
        { role: 'user', content: 'Weather in Paris and Rome?' },
        {
          role: 'assistant',
          content: null,
          tool_calls: FACTS.calls.map((call) => ({
            id: call.id,
            type: 'function' as const,
            function: { name: call.name, arguments: JSON.stringify(call.arguments) },
          })),
        },
        { role: 'tool', tool_call_id: 'call_a', content: '18 degrees' },
        { role: 'tool', tool_call_id: 'call_b', content: '24 degrees' },
      ],
    }),
  image: () =>
    ask({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What colour is this?' },
            { type: 'image_url', image_url: { url: PIXEL } },
          ],
        },
      ],
    }),
  jsonSchema: () =>
    ask({
      response_format: {
        type: 'json_schema',
        json_schema: {
          name: 'place',
          strict: true,
          schema: WEATHER_TOOL.function.parameters,
        },
      },
    }),
} as const;

export interface FailureCase {
  readonly golden: GoldenName;
  readonly fault: ProviderFault;
  readonly status?: number;
  readonly mayBeBilled: boolean;
}

/** Answers that fail a call before anything was delivered, streamed or not. */
export const ANSWER_FAILURES: readonly FailureCase[] = [
  { golden: 'contextLength', fault: 'context_length', status: 400, mayBeBilled: false },
  { golden: 'badRequest', fault: 'invalid_request', status: 400, mayBeBilled: false },
  { golden: 'unauthorized', fault: 'rejected', status: 401, mayBeBilled: false },
  { golden: 'notFound', fault: 'not_found', status: 404, mayBeBilled: false },
  { golden: 'rateLimited', fault: 'rate_limited', status: 429, mayBeBilled: false },
  { golden: 'serverError', fault: 'overloaded', status: 500, mayBeBilled: false },
  { golden: 'overloaded', fault: 'overloaded', mayBeBilled: false },
  { golden: 'okWithErrorBody', fault: 'overloaded', status: 200, mayBeBilled: true },
  { golden: 'wrongContentType', fault: 'malformed', status: 200, mayBeBilled: true },
];

/** Streams that begin well and then fail. */
export const STREAM_FAILURES: readonly FailureCase[] = [
  { golden: 'streamCutMidEvent', fault: 'cut', mayBeBilled: true },
  { golden: 'streamEndsEarly', fault: 'cut', mayBeBilled: true },
  { golden: 'streamErrorFrame', fault: 'overloaded', mayBeBilled: true },
];
