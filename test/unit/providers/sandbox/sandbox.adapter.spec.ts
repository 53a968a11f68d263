import type { ChatTool, FunctionToolCall, TokenUsage } from '../../../../src/common/index';
import { SandboxAdapter } from '../../../../src/providers/adapters/sandbox/sandbox.adapter';
import { chat, deltaOf, sandboxCall, says, streamed } from './support';

const tool = (name: string): ChatTool => ({
  type: 'function',
  function: {
    name,
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer' } },
      required: ['city'],
    },
  },
});

describe(SandboxAdapter.name, () => {
  describe('text', () => {
    it('says that it is the sandbox and what kind of request it got', async () => {
      const { text, body, report } = await chat(says('How tall is the tower of Pisa?'));
      expect(text).toMatch(/sandbox/i);
      expect(text).toContain('a question of 7 words');
      expect(text).toContain('How tall is the tower of Pisa?');
      expect(body).toMatchObject({
        object: 'chat.completion',
        model: 'sandbox/small',
        system_fingerprint: 'sandbox',
      });
      expect(report).toMatchObject({ finishReason: 'stop', modelServed: 'small', warnings: [] });
    });

    it('names images, tools, code and conversation', async () => {
      const { text } = await chat({
        messages: [
          { role: 'user', content: 'Hello' },
          { role: 'assistant', content: 'Hello' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Explain ```x``` please' },
              { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
            ],
          },
        ],
        tools: [tool('get_weather')],
      });
      expect(text).toContain(
        'an instruction of 3 words with code, an image, 1 tool, 3 messages of conversation',
      );
    });

    it('tells a long prompt by its characters', async () => {
      expect((await chat(says('word '.repeat(5000)))).text).toContain('an instruction of 24999 characters');
    });

    it('answers a request without a user message', async () => {
      expect((await chat({ messages: [{ role: 'system', content: 'Be brief' }] })).text).toContain(
        'You sent',
      );
    });

    it('gives the same request the same answer and another one another', async () => {
      const [first, again, other] = await Promise.all(
        ['A plan', 'A plan', 'A plot'].map((t) => chat(says(t))),
      );
      expect(first?.text).toBe(again?.text);
      expect(first?.text.replace('plan', '')).not.toBe(other?.text.replace('plot', ''));
    });

    it('gives n different choices and counts all of them', async () => {
      const { choices, report } = await chat({ ...says('Name a bridge'), n: 3 });
      const texts = choices.map((choice) => choice.message.content);
      expect(new Set(texts).size).toBe(3);
      const single = await chat(says('Name a bridge'));
      expect(report.usage.completionTokens).toBeGreaterThan(2 * (single.report.usage.completionTokens ?? 0));
    });

    it('writes as many words as asked', async () => {
      const { text } = await chat(says('[[sandbox:words=137]] Tell me a tale'));
      expect(text.split(' ')).toHaveLength(137);
      expect(text).not.toContain('[[');
    });

    it('stops at max_tokens and says so', async () => {
      const { text, choices, report } = await chat({ ...says('Hello'), max_tokens: 6 });
      expect(choices[0]?.finish_reason).toBe('length');
      expect(report.usage.completionTokens).toBe(6);
      expect(text.length).toBeLessThanOrEqual(6 * 9);
      const whole = await chat({ ...says('Hello'), max_completion_tokens: 100_000 });
      expect(whole.choices[0]?.finish_reason).toBe('stop');
      expect(whole.text.startsWith(text)).toBe(true);
    });

    it('ends before a stop sequence', async () => {
      const { text, choices } = await chat({ ...says('Hello'), stop: ['never there', ' sandbox'] });
      expect(text).toBe('This is the Lattice');
      expect(choices[0]?.finish_reason).toBe('stop');
      expect((await chat({ ...says('Hello'), stop: 'This' })).text).toBe('');
    });
  });

  describe('usage', () => {
    it('counts a prompt by its bytes, messages and images', async () => {
      const { report, body } = await chat({
        messages: [
          { role: 'system', content: '12345678' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'ääää!' },
              { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(4000)}` } },
            ],
          },
        ],
      });
      expect(report.usage.promptTokens).toBe(2 * 4 + 5 + 85);
      expect(body.usage).toEqual({
        prompt_tokens: 98,
        completion_tokens: report.usage.completionTokens,
        total_tokens: 98 + (report.usage.completionTokens ?? 0),
      });
    });

    it('is the same whether streamed or not', async () => {
      const whole = await chat(says('One book, two ways'));
      const { stream, text } = await streamed(says('One book, two ways'));
      expect(text).toBe(whole.text);
      expect(stream.report()).toEqual(whole.report);
    });
  });

  describe('stream', () => {
    it('sends role, words, finish reason and, when asked, usage', async () => {
      const { chunks, stream } = await streamed({
        ...says('Hello'),
        stream_options: { include_usage: true },
      });
      expect(deltaOf(chunks[0]?.chunk ?? {})).toEqual({ role: 'assistant', content: '' });
      expect(chunks.at(-2)?.chunk.choices).toMatchObject([{ delta: {}, finish_reason: 'stop' }]);
      expect(chunks.at(-1)?.chunk).toMatchObject({ choices: [], usage: stream.report().rawUsage });
      for (const { chunk, data } of chunks) expect(JSON.parse(data)).toEqual(chunk);
      const silent = await streamed(says('Hello'));
      expect(silent.chunks).toHaveLength(chunks.length - 1);
      expect(stream.malformedLines()).toBe(0);
    });

    it('knows no usage before its end', async () => {
      const stream = await new SandboxAdapter().chatStream(sandboxCall(says('Hello')));
      for await (const _ of stream.chunks) break;
      expect(stream.report()).toMatchObject({ usage: {}, finishReason: 'unknown' });
    });
  });

  describe('tools', () => {
    const calls = async (body: Parameters<typeof chat>[0], requestId = 'req_1') => {
      const { choices } = await chat(body, { requestId });
      return (choices[0]?.message.tool_calls ?? []) as readonly FunctionToolCall[];
    };
    const names = async (body: Parameters<typeof chat>[0]) =>
      (await calls(body)).map((call) => call.function.name);
    const offered = { tools: [tool('get_weather'), tool('find_train')] };

    it.each([
      ['by a word of its name', 'What is the weather in Oslo?', ['get_weather']],
      ['by its whole name', 'Please run find_train', ['find_train']],
      ['several at once', 'Is there a train, and what weather?', ['get_weather', 'find_train']],
      ['by the word tool', 'Use a tool', ['get_weather']],
      ['by a directive, twice', '[[sandbox:tool=find_train,find_train]] Hi', ['find_train', 'find_train']],
      ['not at all', 'Tell me a joke', []],
    ])('calls a tool that is asked for %s', async (_, text, expected) => {
      expect(await names({ ...says(text), ...offered })).toEqual(expected);
    });

    it('obeys tool_choice and parallel_tool_calls', async () => {
      const joke = { ...says('Tell me a joke'), ...offered };
      const named = { type: 'function', function: { name: 'find_train' } };
      expect(await names({ ...joke, tool_choice: 'required' })).toEqual(['get_weather']);
      expect(await names({ ...joke, tool_choice: named })).toEqual(['find_train']);
      expect(await names({ ...says('weather, train'), ...offered, tool_choice: 'none' })).toEqual([]);
      expect(await names({ ...says('weather, train'), ...offered, parallel_tool_calls: false })).toHaveLength(
        1,
      );
    });

    it('writes the required arguments and an id of its own for every request', async () => {
      const body = { ...says('weather'), ...offered };
      const [first] = await calls(body, 'req_1');
      const [other] = await calls(body, 'req_2');
      expect(JSON.parse(first?.function.arguments ?? '')).toEqual({ city: expect.any(String) });
      expect(first?.id).toMatch(/^call_[0-9a-f]{24}$/);
      expect(first?.id).not.toBe(other?.id);
      expect(first?.function).toEqual(other?.function);
    });

    it('uses the results in its final answer', async () => {
      const [call] = await calls({ ...says('weather'), ...offered });
      const { text, choices } = await chat({
        ...offered,
        messages: [
          { role: 'user', content: 'weather' },
          { role: 'assistant', content: null, tool_calls: call ? [call] : [] },
          { role: 'tool', tool_call_id: call?.id, content: '18 degrees and rain' },
        ],
      });
      expect(text).toContain('18 degrees and rain');
      expect(choices[0]?.finish_reason).toBe('stop');
    });

    it('calls again for as many rounds as asked', async () => {
      const messages = [{ role: 'user' as const, content: '[[sandbox:rounds=2]] go' }];
      const [call] = await calls({ messages, ...offered });
      const round = [
        { role: 'assistant' as const, tool_calls: call ? [call] : [] },
        { role: 'tool' as const, tool_call_id: call?.id, content: 'ok' },
      ];
      expect(await names({ ...offered, messages: [...messages, ...round] })).toEqual(['get_weather']);
      expect(await names({ ...offered, messages: [...messages, ...round, ...round] })).toEqual([]);
    });

    it('streams a call in two deltas with its index', async () => {
      const { chunks } = await streamed({ ...says('weather and train'), ...offered });
      const deltas = chunks.flatMap(({ chunk }) => (deltaOf(chunk).tool_calls ?? []) as { index: number }[]);
      expect(deltas.map((delta) => delta.index)).toEqual([0, 0, 1, 1]);
    });

    it('never counts more than max_tokens', async () => {
      const { choices, report } = await chat({ ...says('weather'), ...offered, max_tokens: 2 });
      expect(choices[0]).toMatchObject({ finish_reason: 'length' });
      expect(report.usage.completionTokens).toBe(2);
    });
  });

  describe('JSON', () => {
    it('answers by schema', async () => {
      const schema = { type: 'object', properties: { score: { type: 'integer', minimum: 3, maximum: 5 } } };
      const { text } = await chat({
        ...says('Rate this'),
        response_format: { type: 'json_schema', json_schema: { name: 'rating', schema } },
      });
      const { score } = JSON.parse(text) as { score: number };
      expect([3, 4, 5]).toContain(score);
    });

    it('answers with some object when only JSON is asked', async () => {
      const { text } = await chat({ ...says('Rate this'), response_format: { type: 'json_object' } });
      expect(JSON.parse(text)).toMatchObject({ sandbox: true, answer: expect.stringContaining('Rate this') });
    });
  });

  describe('failures', () => {
    const failureOf = async (
      text: string,
      modelId = 'small',
      requestId = 'req_1',
      adapter = new SandboxAdapter(),
    ) =>
      adapter.chat(sandboxCall(says(text), { modelId, requestId })).then(
        () => undefined,
        (error: unknown) => error,
      );

    it.each([
      ['fail=503', { fault: 'overloaded', upstreamStatus: 503, failure: 'retry' }],
      ['fail=429 retry-after=2', { fault: 'rate_limited', retryAfterMs: 2000 }],
      ['fail=401', { fault: 'rejected', failure: 'fallover' }],
      ['fail=404', { fault: 'not_found' }],
      ['fail=400', { fault: 'invalid_request', failure: 'final' }],
      ['fail=nonsense', { fault: 'invalid_request' }],
      ['fail=connect', { fault: 'connect', mayBeBilled: false }],
      ['fail=malformed', { fault: 'malformed', mayBeBilled: true }],
      ['context_length', { fault: 'context_length', status: 400 }],
      ['cut=3', { fault: 'cut', mayBeBilled: true }],
    ])('fails with %s', async (directive, expected) => {
      expect(await failureOf(`[[sandbox:${directive}]] Hi`)).toMatchObject({
        provider: 'sandbox',
        ...expected,
      });
    });

    it('fails on sandbox/flaky unless told otherwise', async () => {
      expect(await failureOf('Hi', 'flaky')).toMatchObject({ fault: 'overloaded', upstreamStatus: 503 });
      expect(await failureOf('[[sandbox:fail=none]] Hi', 'flaky')).toBeUndefined();
      expect(await failureOf('Hi', 'large')).toBeUndefined();
    });

    it('fails the first attempts only, request by request', async () => {
      const adapter = new SandboxAdapter();
      const text = '[[sandbox:fail=503 times=2]] Hi';
      expect(await failureOf(text, 'small', 'req_1', adapter)).toBeDefined();
      expect(await failureOf(text, 'small', 'req_1', adapter)).toBeDefined();
      expect(await failureOf(text, 'small', 'req_1', adapter)).toBeUndefined();
      expect(await failureOf(text, 'small', 'req_2', adapter)).toBeDefined();
    });

    it('leaves models alone that a directive does not name', async () => {
      expect(await failureOf('[[sandbox:fail=503 model=sandbox/small]] Hi', 'small')).toBeDefined();
      expect(await failureOf('[[sandbox:fail=503 model=small]] Hi', 'large')).toBeUndefined();
    });

    it('cuts a stream after so many chunks', async () => {
      const { chunks, error, stream } = await streamed(says('[[sandbox:cut=3]] Hi'));
      expect(chunks).toHaveLength(3);
      expect(error).toMatchObject({ fault: 'cut', mayBeBilled: true });
      expect(stream.report().usage).toEqual({} satisfies TokenUsage);
    });
  });

  describe('timing', () => {
    const hurried = (ms: number) => ({ connectMs: ms, firstByteMs: ms, idleMs: ms, totalMs: ms });
    const model = { ...sandboxCall({}).model, timeouts: hurried(30) };

    it('waits before the first byte and between chunks', async () => {
      const { text } = await streamed(says('[[sandbox:delay=5 pace=1 words=5]] Hi'), { model });
      expect(text).toMatch(/sandbox/i);
    });

    it.each(['delay=60000', 'stall=2'])('runs into the time limit with %s', async (directive) => {
      const asked = says(`[[sandbox:${directive}]] Hi`);
      await expect(chat(asked, { model })).rejects.toMatchObject({ fault: 'overdue', mayBeBilled: true });
    });

    it('goes silent in the middle of a stream', async () => {
      const { chunks, error } = await streamed(says('[[sandbox:stall=2]] Hi'), { model });
      expect(chunks).toHaveLength(2);
      expect(error).toMatchObject({ fault: 'timeout' });
    });

    it('leaves at once when the caller does', async () => {
      const controller = new AbortController();
      const waiting = chat(says('[[sandbox:delay=9000]] Hi'), { signal: controller.signal });
      controller.abort();
      await expect(waiting).rejects.toMatchObject({ fault: 'aborted', failure: 'final' });
      const { chunks, error } = await streamed(says('[[sandbox:words=9]] Hi'), {
        signal: AbortSignal.abort(),
      }).catch((thrown: unknown) => ({ chunks: [], error: thrown }));
      expect(chunks).toHaveLength(0);
      expect(error).toMatchObject({ fault: 'aborted' });
    });
  });

  it('lists its models', async () => {
    expect(await new SandboxAdapter().listModels()).toEqual(['small', 'large', 'flaky', 'embed']);
  });
});
