import type { JsonObject } from '../../../../src/common/index';
import { completionOf } from '../../../../src/providers/adapters/openai-responses/response';
import { ResponsesDecoder } from '../../../../src/providers/adapters/openai-responses/stream';
import { response } from '../../../support/contract/openai-responses.goldens';

const FACTS = { upstreamRequestId: 'r-1', warnings: ['stop was left out'] };

function decode(...events: readonly object[]): ResponsesDecoder {
  const decoder = new ResponsesDecoder(FACTS);
  for (const event of events) decoder.feed(Buffer.from(`data: ${JSON.stringify(event)}\n\n`));
  return decoder;
}

function deltasOf(decoder: ResponsesDecoder): readonly JsonObject[] {
  const deltas: JsonObject[] = [];
  for (let chunk = decoder.take(); chunk; chunk = decoder.take()) {
    const [choice] = chunk.chunk.choices as readonly { delta: JsonObject }[];
    if (choice) deltas.push(choice.delta);
  }
  return deltas;
}

describe(ResponsesDecoder.name, () => {
  const created = {
    type: 'response.created',
    response: response([], { status: 'in_progress', usage: null }),
  };
  const done = { type: 'response.completed', response: response([]) };

  it('tells refusals and summaries of thoughts, a blank line between their parts', () => {
    const decoder = decode(
      created,
      { type: 'response.reasoning_summary_part.added', summary_index: 0 },
      { type: 'response.reasoning_summary_text.delta', delta: 'First' },
      { type: 'response.reasoning_summary_part.added', summary_index: 1 },
      { type: 'response.reasoning_summary_text.delta', delta: 'then' },
      { type: 'response.refusal.delta', delta: 'No' },
      done,
    );
    expect(deltasOf(decoder)).toEqual([
      { role: 'assistant', content: '' },
      { reasoning_content: 'First' },
      { reasoning_content: '\n\n' },
      { reasoning_content: 'then' },
      { refusal: 'No' },
      {},
    ]);
    expect(decoder.report()).toMatchObject({ finishReason: 'stop', warnings: FACTS.warnings });
  });

  it('passes the input of custom tools on in pieces', () => {
    const item = { type: 'custom_tool_call', id: 'ctc_1', call_id: 'c1', name: 'run', input: '' };
    const decoder = decode(
      { type: 'response.output_item.added', output_index: 0, item },
      { type: 'response.custom_tool_call_input.delta', output_index: 0, delta: 'go' },
      { type: 'response.output_item.done', output_index: 0, item: { ...item, input: 'go' } },
      done,
    );
    expect(deltasOf(decoder)).toEqual([
      { role: 'assistant', content: '' },
      { tool_calls: [{ index: 0, id: 'c1', type: 'custom', custom: { name: 'run', input: '' } }] },
      { tool_calls: [{ index: 0, custom: { input: 'go' } }] },
      {},
    ]);
    expect(decoder.report().finishReason).toBe('tool_calls');
  });

  it('is over with its own last event, not with [DONE]', () => {
    const decoder = decode(created, { type: 'response.output_text.delta', delta: 'Hi' });
    decoder.feed(Buffer.from('data: [DONE]\n\n'));
    expect([decoder.isDone, decoder.isComplete]).toEqual([false, false]);
    decoder.feed(Buffer.from(`data: ${JSON.stringify(done)}\n\n`));
    expect([decoder.isDone, decoder.isComplete]).toEqual([true, true]);
  });

  it.each([
    ['a delta that is no text', { type: 'response.output_text.delta', delta: 1 }],
    ['arguments of no call', { type: 'response.function_call_arguments.delta', output_index: 3, delta: '{' }],
    ['an item that is none', { type: 'response.output_item.added', output_index: 0 }],
    ['an end without a response', { type: 'response.completed' }],
  ])('counts %s as malformed', (_, event) => expect(decode(event).malformedLines).toBe(1));

  it('says nothing of events that are not known here', () => {
    const decoder = decode({ type: 'response.next_year', on: true });
    expect([decoder.malformedLines, decoder.isEmpty]).toEqual([0, true]);
  });

  it.each([
    [{ type: 'error', code: 'server_error', message: 'Sorry', param: null }, 'server_error'],
    [{ type: 'error', error: { code: 'rate_limit_exceeded', message: 'Slow' } }, 'rate_limit_exceeded'],
    [{ type: 'response.failed', response: { error: { code: 'invalid_prompt' } } }, 'invalid_prompt'],
  ])('reads the failure in %j', (event, code) => expect(decode(event).failure?.code).toBe(code));
});

describe(completionOf.name, () => {
  const answered = (output: readonly object[], extra: object = {}) =>
    completionOf(response(output, extra) as JsonObject, FACTS);
  const said = (content: readonly object[]) => ({ type: 'message', role: 'assistant', content });

  it('tells refusals, thoughts, annotations and log probabilities', () => {
    const annotations = [{ type: 'url_citation', url: 'https://a.b' }];
    const logprobs = [{ token: 'Hi', logprob: -0.1, bytes: [72, 105], top_logprobs: [] }];
    const result = answered([
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm' }], encrypted_content: 'x' },
      said([
        { type: 'output_text', text: 'Hi', annotations, logprobs },
        { type: 'refusal', refusal: 'No' },
      ]),
    ]);
    expect(result?.body).toMatchObject({
      object: 'chat.completion',
      choices: [
        {
          message: { content: 'Hi', refusal: 'No', reasoning_content: 'Hm', annotations },
          logprobs: { content: logprobs },
          finish_reason: 'stop',
        },
      ],
    });
  });

  it.each([
    ['max_output_tokens', 'length', 'length'],
    ['content_filter', 'content_filter', 'content_filter'],
    ['steered', 'unknown', 'stop'],
  ])('ends an answer that is incomplete for %s with %s', (reason, known, shown) => {
    const result = answered([], { status: 'incomplete', incomplete_details: { reason } });
    expect(result?.report).toMatchObject({ finishReason: known, rawFinishReason: reason });
    expect(result?.body).toMatchObject({ choices: [{ finish_reason: shown }] });
  });

  it.each(['failed', 'in_progress', 'queued', 'cancelled'])('is no completion when it is %s', (status) => {
    expect(answered([], { status })).toBeUndefined();
  });
});
