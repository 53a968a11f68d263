import type { JsonObject } from '../../../../src/common/index';
import { ProviderUnavailableError, RateLimitedError } from '../../../../src/errors/index';
import type { Completion, CompletionMeta } from '../../../../src/execution/index';
import { toChatRequest } from '../../../../src/gateway/responses/request';
import { ResponseDraft, toResponse } from '../../../../src/gateway/responses/response';

const LIMITS = { maxMessages: 8, maxTools: 8, maxPromptChars: 1000 };
const meta = {
  requestId: '0192f0c1-a2b3-7c4d-8e5f-60718293a4b5',
  model: 'openai/m',
} as CompletionMeta;

const request = (more: JsonObject = {}) => toChatRequest({ model: 'auto', input: 'Hi', ...more }, {}, LIMITS);

const answered = (message: JsonObject, finish: string | null = 'stop', more: JsonObject = {}): JsonObject => {
  const body = { model: 'm-1', choices: [{ message, finish_reason: finish }] };
  const totals = { attempts: 1, usage: { promptTokens: 3, completionTokens: 2 } };
  return toResponse({ meta, totals, body } as unknown as Completion, request(more));
};

const types = ({ output }: JsonObject): unknown[] =>
  (output as unknown as JsonObject[]).map(({ type }) => type);

describe(toResponse, () => {
  it('is a response of OpenAI’s API', () => {
    const response = answered({ role: 'assistant', content: 'Hello' }, 'stop', { temperature: 1 });
    expect(response).toMatchObject({
      id: 'resp_0192f0c1a2b37c4d8e5f60718293a4b5',
      object: 'response',
      status: 'completed',
      model: 'm-1',
      temperature: 1,
      error: null,
      incomplete_details: null,
      completed_at: expect.any(Number) as number,
      usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
      output: [
        {
          id: 'msg_0192f0c1a2b37c4d8e5f60718293a4b50000',
          type: 'message',
          status: 'completed',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'Hello', annotations: [], logprobs: [] }],
        },
      ],
    });
  });

  it('puts thoughts first, when they are asked for, and calls last', () => {
    const message = {
      role: 'assistant',
      content: 'a',
      reasoning_content: 'Hm',
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
    };
    expect(types(answered(message, 'tool_calls', { reasoning: { summary: 'auto' } }))).toEqual([
      'reasoning',
      'message',
      'function_call',
    ]);
    expect(types(answered(message))).toEqual(['message', 'function_call']);
  });

  it('holds no empty message', () => {
    expect(types(answered({ role: 'assistant', content: '' }))).toEqual([]);
  });

  it('keeps a refusal one', () => {
    const { output } = answered({ role: 'assistant', content: null, refusal: 'No' });
    expect(output).toMatchObject([{ type: 'message', content: [{ type: 'refusal', refusal: 'No' }] }]);
  });

  it.each([
    ['length', 'incomplete', { reason: 'max_output_tokens' }],
    ['content_filter', 'incomplete', { reason: 'content_filter' }],
    ['tool_calls', 'completed', null],
    [null, 'completed', null],
  ])('finish reason %s is %s', (finish, status, incomplete_details) => {
    const response = answered({ role: 'assistant', content: 'a' }, finish);
    expect(response).toMatchObject({ status, incomplete_details, output: [{ status }] });
    expect(response.completed_at === null).toBe(status !== 'completed');
  });
});

describe(ResponseDraft, () => {
  it.each([
    [new RateLimitedError('Slowly'), 'rate_limit_exceeded'],
    [new ProviderUnavailableError('unreachable', 'Gone'), 'server_error'],
  ])('that failed is not kept: %s', (error, code) => {
    const failed = new ResponseDraft(request(), meta).failed([{ kind: 'output_text', text: 'He' }], error);
    expect(failed).toMatchObject({
      status: 'failed',
      store: false,
      error: { code, message: error.message },
      output: [{ status: 'incomplete' }],
      usage: null,
    });
  });

  it('begins with the caller’s own words and no output', () => {
    const draft = new ResponseDraft(request({ metadata: { a: 'b' } }), meta);
    expect(draft.running()).toMatchObject({
      status: 'in_progress',
      model: 'openai/m',
      output: [],
      metadata: { a: 'b' },
      usage: null,
      completed_at: null,
    });
  });
});
