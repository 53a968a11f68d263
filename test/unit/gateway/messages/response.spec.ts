import type { Completion } from '../../../../src/execution/index';
import type { MessagesRequest } from '../../../../src/gateway/messages/request';
import { toMessage } from '../../../../src/gateway/messages/response';
import type { JsonObject, TokenUsage } from '../../../../src/common/index';

const REQUEST = { showsThinking: true, stopSequences: ['END'] } as unknown as MessagesRequest;

function message(choice: JsonObject, usage: TokenUsage = {}, request = REQUEST): JsonObject {
  const completion = {
    meta: { requestId: '019a0000-0000-7000-8000-000000000000', model: 'openai/gpt' },
    totals: { usage, attempts: 1 },
    body: { model: 'gpt', choices: [choice] },
  };
  return toMessage(completion as unknown as Completion, request);
}
const answer = (content: string | null, more: JsonObject = {}) => ({
  finish_reason: 'stop',
  message: { role: 'assistant', content, ...more },
});

describe('toMessage', () => {
  it('holds thinking, text and tool uses in this order', () => {
    const calls = [
      { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
      { id: 'b', type: 'function', function: { name: 'g', arguments: 'not JSON' } },
      { id: 'c', type: 'function', function: { name: 'h', arguments: '' } },
    ];
    const found = message({ ...answer('Hi', { reasoning_content: 'hm', tool_calls: calls }) });
    expect(found).toMatchObject({
      id: 'msg_019a0000000070008000000000000000',
      type: 'message',
      role: 'assistant',
      model: 'gpt',
      stop_reason: 'tool_use',
      stop_sequence: null,
    });
    const caller = { type: 'direct' };
    expect(found.content).toEqual([
      { type: 'thinking', thinking: 'hm', signature: '' },
      { type: 'text', text: 'Hi', citations: null },
      { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 }, caller },
      { type: 'tool_use', id: 'b', name: 'g', input: { arguments: 'not JSON' }, caller },
      { type: 'tool_use', id: 'c', name: 'h', input: {}, caller },
    ]);
  });

  it('shows no thinking that nobody asked for', () => {
    const quiet = { ...REQUEST, showsThinking: false };
    expect(message(answer('Hi', { reasoning: 'hm' }), {}, quiet).content).toEqual([
      { type: 'text', text: 'Hi', citations: null },
    ]);
  });

  it.each<[JsonObject, string | null, string | null]>([
    [answer('Hi'), 'end_turn', null],
    [{ ...answer('Hi'), finish_reason: 'length' }, 'max_tokens', null],
    [{ ...answer(''), finish_reason: 'content_filter' }, 'refusal', null],
    [answer(null, { refusal: 'I cannot' }), 'refusal', null],
    [{ ...answer('Hi'), stop_reason: 'END' }, 'stop_sequence', 'END'],
    [{ ...answer('Hi'), stop_reason: 'other' }, 'end_turn', null],
    [{ ...answer('Hi'), finish_reason: null }, null, null],
  ])('tells how %j ended', (choice, reason, sequence) => {
    expect(message(choice)).toMatchObject({ stop_reason: reason, stop_sequence: sequence });
  });

  it('counts input without what the cache took part in; unknown is null', () => {
    const usage = {
      promptTokens: 100,
      cachedReadTokens: 60,
      cacheWriteTokens: 30,
      cacheWriteOneHourTokens: 10,
      completionTokens: 20,
      reasoningTokens: 5,
    };
    expect(message(answer('Hi'), usage).usage).toMatchObject({
      input_tokens: 10,
      cache_read_input_tokens: 60,
      cache_creation_input_tokens: 30,
      cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 10 },
      output_tokens: 20,
      output_tokens_details: { thinking_tokens: 5 },
    });
    expect(message(answer('Hi'), { promptTokens: 7, completionTokens: 2 }).usage).toMatchObject({
      input_tokens: 7,
      cache_read_input_tokens: null,
      cache_creation_input_tokens: null,
      cache_creation: null,
      output_tokens: 2,
    });
  });
});
