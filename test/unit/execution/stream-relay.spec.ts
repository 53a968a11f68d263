import type { ChatTool, JsonObject } from '../../../src/common/index';
import { ChatState } from '../../../src/execution/chat-state';
import { StreamRelay } from '../../../src/execution/stream-relay';
import { isServerCall } from '../../../src/execution/tool-rounds';
import type { StreamSink } from '../../../src/execution/index';
import type { ChatChunk } from '../../../src/providers/index';
import { aContext, aPlan, aPlanned, aRequest } from '../../support/factories';

class RecordingSink implements StreamSink {
  isOpen = false;
  readonly frames: string[] = [];
  open(): void {
    this.isOpen = true;
  }
  write({ data }: ChatChunk): undefined {
    this.frames.push(data);
  }
  end(): void {
    this.frames.push('[DONE]');
  }
  fail(): void {
    this.frames.push('error');
  }
}

const chunk = (choices: unknown[], extra: object = {}): ChatChunk => {
  const value = { id: 'c1', object: 'chat.completion.chunk', choices, ...extra } as unknown as JsonObject;
  return { chunk: value, data: JSON.stringify(value) };
};
const text = (content: string, index = 0) => chunk([{ index, delta: { content }, finish_reason: null }]);
const finish = (reason = 'stop', index = 0) => chunk([{ index, delta: {}, finish_reason: reason }]);
const call = (delta: object, index = 0) =>
  chunk([{ index: 0, delta: { tool_calls: [{ index, ...delta }] }, finish_reason: null }]);
const usage = () =>
  chunk([], { usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5, custom: 1 } });

async function* of(...chunks: ChatChunk[]): AsyncGenerator<ChatChunk> {
  yield* chunks;
}

const TOOL: ChatTool = { type: 'function', function: { name: 'current_time' } };

function relay(body: object = {}, tools: readonly ChatTool[] = []) {
  const sink = new RecordingSink();
  const planned = aPlanned();
  const state = new ChatState(aContext(), aRequest({ stream: true, ...body }), aPlan([planned]), {
    serverTools: tools,
    sink,
  });
  const parsed = () =>
    sink.frames.map((frame) => JSON.parse(frame) as JsonObject & { choices: JsonObject[] });
  return { sink, state, relay: new StreamRelay(state, planned), parsed };
}

describe(StreamRelay.name, () => {
  it('passes chunks on byte for byte and holds the finish back until it is closed', async () => {
    const { sink, relay: it } = relay();
    const chunks = [text('Hel'), text('lo')];
    await it.pump(of(...chunks, finish(), usage()));
    expect(sink.frames).toEqual(chunks.map(({ data }) => data));
    await it.close([], { costUsd: '0.1' }, {});
    expect(sink.frames).toHaveLength(3);
    expect(JSON.parse(sink.frames[2] ?? '')).toMatchObject({
      choices: [{ finish_reason: 'stop' }],
      lattice: { costUsd: '0.1' },
    });
  });

  it('shows usage only to those who asked, in a last chunk with the whole request’s sums', async () => {
    const { relay: it, parsed } = relay({ stream_options: { include_usage: true } });
    await it.pump(of(text('x'), finish(), usage()));
    await it.close([], { costUsd: '0' }, { prompt_tokens: 30, completion_tokens: 20, total_tokens: 50 });
    expect(parsed().at(-2)).not.toHaveProperty('lattice');
    expect(parsed().at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 30, completion_tokens: 20, total_tokens: 50, custom: 1 },
      lattice: { costUsd: '0' },
    });
  });

  it('keeps the order of several choices and loses none of their finishes', async () => {
    const { relay: it, parsed } = relay({ n: 2 });
    await it.pump(of(text('a', 0), text('b', 1), finish('stop', 0), text('c', 1), finish('length', 1)));
    await it.close([], {}, {});
    const finishes = parsed().flatMap((frame) =>
      frame.choices.map((choice) => [choice.index, choice.finish_reason]),
    );
    expect(finishes.filter(([, reason]) => reason)).toEqual([
      [0, 'stop'],
      [1, 'length'],
    ]);
  });

  it('shows text that comes with the finish at once', async () => {
    const { sink, relay: it, parsed } = relay();
    await it.pump(of(chunk([{ index: 0, delta: { content: 'all' }, finish_reason: 'stop' }])));
    expect(parsed()[0]).toMatchObject({ choices: [{ delta: { content: 'all' }, finish_reason: null }] });
    await it.close([], {}, {});
    expect(sink.frames).toHaveLength(2);
    expect(parsed()[1]).toMatchObject({ choices: [{ delta: {}, finish_reason: 'stop' }] });
  });

  it('passes a client’s tool calls on as they come and puts them together for the books', async () => {
    const { sink, relay: it } = relay();
    const chunks = [
      call({ id: 'a', function: { name: 'f', arguments: '{"x"' } }),
      call({ function: { arguments: ':1}' } }),
    ];
    await it.pump(of(...chunks, finish('tool_calls')));
    expect(sink.frames).toEqual(chunks.map(({ data }) => data));
    expect(it.message().toolCalls).toEqual([
      { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
    ]);
    expect(it.trace.answerBytes).toBe(7);
  });

  it('puts calls of custom tools together as what they are', async () => {
    const { sink, relay: it } = relay();
    const chunks = [
      call({ id: 'a', type: 'custom', custom: { name: 'shell', input: '' } }),
      call({ custom: { input: 'ls ' } }),
      call({ custom: { input: '-a' } }),
      call({ id: 'b', type: 'function', function: { name: 'f', arguments: '{}' } }, 1),
    ];
    await it.pump(of(...chunks, finish('tool_calls')));
    expect(sink.frames).toEqual(chunks.map(({ data }) => data));
    expect(it.message().toolCalls).toEqual([
      { id: 'a', type: 'custom', custom: { name: 'shell', input: 'ls -a' } },
      { id: 'b', type: 'function', function: { name: 'f', arguments: '{}' } },
    ]);
    expect(it.trace.answerBytes).toBe(7);
  });

  it('gives a tool call without an id one, the same for the client and the books', async () => {
    const { relay: it, parsed } = relay();
    await it.pump(
      of(
        call({ function: { name: 'f', arguments: '' } }),
        call({ function: { arguments: '{}' } }),
        finish('tool_calls'),
      ),
    );
    const shown = JSON.stringify(parsed()[0]);
    const [made] = it.message().toolCalls;
    expect(made?.id).toMatch(/^call_[0-9a-f]{24}$/);
    expect(shown).toContain(String(made?.id));
  });

  it.each<[string, object[][]]>([
    [
      'of one index',
      [
        [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"x":' } }],
        [{ index: 0, function: { arguments: '1}' } }],
        [{ index: 0, id: 'b', function: { name: 'g', arguments: '{' } }],
        [{ index: 0, function: { arguments: '}' } }],
      ],
    ],
    [
      'without an index',
      [
        [
          { id: 'a', function: { name: 'f', arguments: '{"x":1}' } },
          { id: 'b', function: { name: 'g', arguments: '{}' } },
        ],
      ],
    ],
    [
      'counted from another number',
      [
        [{ index: 1, id: 'a', function: { name: 'f', arguments: '{"x":1}' } }],
        [{ index: 2, id: 'b', function: { name: 'g', arguments: '{}' } }],
      ],
    ],
  ])('numbers calls %s, so that no client takes them for one', async (_, chunks) => {
    const { relay: it, parsed } = relay();
    const all = chunks.map((calls) =>
      chunk([{ index: 0, delta: { tool_calls: calls }, finish_reason: null }]),
    );
    await it.pump(of(...all, finish('tool_calls')));
    const shown = new Map<unknown, string>();
    for (const { choices } of parsed()) {
      const delta = choices[0]?.delta as unknown as {
        tool_calls?: { index: number; id?: string; function: { name?: string; arguments: string } }[];
      };
      for (const { index, id = '', function: fn } of delta.tool_calls ?? [])
        shown.set(index, `${shown.get(index) ?? ''}${id}${fn.name ?? ''}${fn.arguments}`);
    }
    expect([...shown]).toEqual([
      [0, 'af{"x":1}'],
      [1, 'bg{}'],
    ]);
    expect(it.message().toolCalls.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(it.trace.answerBytes).toBe(9);
  });

  it('numbers the calls of every choice by themselves, also those that come with the finish', async () => {
    const { relay: it, parsed } = relay({ n: 2 });
    const calls = (...ids: string[]) =>
      ids.map((id) => ({ index: 0, id, function: { name: 'f', arguments: '{}' } }));
    await it.pump(
      of(
        chunk([
          { index: 0, delta: { tool_calls: calls('a', 'b') }, finish_reason: 'tool_calls' },
          { index: 1, delta: { tool_calls: calls('c', 'd') }, finish_reason: 'tool_calls' },
        ]),
      ),
    );
    const numbers = parsed()[0]?.choices.map(({ delta }) =>
      (delta as unknown as { tool_calls: { id: string; index: number }[] }).tool_calls.map(
        ({ id, index }) => `${id}${index}`,
      ),
    );
    expect(numbers).toEqual([
      ['a0', 'b1'],
      ['c0', 'd1'],
    ]);
  });

  it('hides all tool calls while server-side tools are on, and shows the client’s own at the end', async () => {
    const { sink, relay: it, parsed } = relay({}, [TOOL]);
    await it.pump(
      of(
        text('Let me see'),
        call({ id: 's', function: { name: 'current_time', arguments: '{}' } }, 0),
        call({ id: 'c', function: { name: 'mine', arguments: '{}' } }, 1),
        finish('tool_calls'),
      ),
    );
    expect(sink.frames).toHaveLength(1);
    const mine = it.message().toolCalls.filter((made) => made.function?.name === 'mine');
    await it.close(mine, {}, {});
    expect(parsed()[1]).toMatchObject({ choices: [{ delta: { tool_calls: [{ index: 0, id: 'c' }] } }] });
    expect(parsed()[2]).toMatchObject({ choices: [{ finish_reason: 'tool_calls' }] });
    expect(sink.frames.join()).not.toContain('current_time');
  });

  it('shows a call of the client’s custom tool at the end, beside server-side tools, which have none', async () => {
    const custom = { name: 'shell', input: 'ls' };
    const {
      state,
      relay: it,
      parsed,
    } = relay({ tools: [{ type: 'custom', custom: { name: 'shell' } }] }, [TOOL]);
    await it.pump(of(call({ id: 'c', type: 'custom', custom }), finish('tool_calls')));
    const calls = it.message().toolCalls;
    expect(calls.filter((made) => isServerCall(state, made))).toEqual([]);
    await it.close(calls, {}, {});
    expect(parsed()[0]).toMatchObject({
      choices: [{ delta: { tool_calls: [{ index: 0, id: 'c', type: 'custom', custom }] } }],
    });
  });

  it('puts a finish that comes again in the place of the first, and hides the calls that come with it', async () => {
    const { sink, relay: it, parsed } = relay({}, [TOOL]);
    const calls = [{ index: 0, id: 's', function: { name: 'current_time', arguments: '{}' } }];
    await it.pump(
      of(
        text('Let me see'),
        finish('tool_calls'),
        chunk([{ index: 0, delta: { tool_calls: calls }, finish_reason: 'stop' }]),
      ),
    );
    expect(sink.frames).toHaveLength(1);
    await it.close([], {}, {});
    expect(parsed().slice(1)).toMatchObject([{ choices: [{ delta: {}, finish_reason: 'stop' }] }]);
    expect(sink.frames.join()).not.toMatch(/tool_calls|current_time/);
  });

  it('shows the ids that it makes up also beside the finish of another choice', async () => {
    const { relay: it, parsed } = relay({ n: 2 });
    const delta = { tool_calls: [{ index: 0, function: { name: 'f', arguments: '{}' } }] };
    await it.pump(of(finish('stop', 1), chunk([{ index: 0, delta, finish_reason: 'tool_calls' }])));
    expect(JSON.stringify(parsed())).toContain(String(it.message().toolCalls[0]?.id));
  });

  it.each([
    ['with usage', { stream_options: { include_usage: true } }],
    ['without usage', {}],
  ])('sends the client’s calls of an upstream that gave no finish reason, %s', async (_, body) => {
    const { relay: it, parsed } = relay(body, [TOOL]);
    await it.pump(of(text('So'), call({ id: 'c', function: { name: 'mine', arguments: '{}' } })));
    await it.close(it.message().toolCalls, { costUsd: '0' }, { total_tokens: 5 });
    const named = { id: 'c1', object: 'chat.completion.chunk' };
    expect(parsed()[1]).toMatchObject({
      ...named,
      choices: [{ delta: { tool_calls: [{ index: 0, id: 'c' }] }, finish_reason: null }],
    });
    expect(parsed()[2]).toMatchObject({ ...named, lattice: { costUsd: '0' } });
    expect(parsed()).toHaveLength(3);
  });

  it.each([
    ['a role', chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }])],
    [
      'nulls',
      chunk([{ index: 0, delta: { role: 'assistant', content: null, refusal: null, tool_calls: [] } }]),
    ],
    ['what the provider filtered', chunk([], { prompt_filter_results: [{ prompt_index: 0 }] })],
    ['no delta', chunk([{ index: 0, finish_reason: null }])],
  ])('holds back a chunk with %s until there is something of the answer', async (_, opening) => {
    const { sink, state, relay: it } = relay();
    const seen: unknown[] = [];
    async function* source(): AsyncGenerator<ChatChunk> {
      yield opening;
      yield opening;
      seen.push(sink.isOpen, state.hasSent);
      yield text('Hi');
      seen.push(sink.isOpen, state.hasSent);
    }
    await it.pump(source());
    expect(seen).toEqual([false, false, true, true]);
    expect(sink.frames).toEqual([opening, opening, text('Hi')].map(({ data }) => data));
  });

  it.each([
    ['text', { content: 'a' }],
    ['reasoning', { reasoning_content: 'a' }],
    ['a refusal', { refusal: 'a' }],
    ['a tool call', { tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '' } }] }],
    ['what nobody here knows', { sound: { data: 'a' } }],
  ])('shows at once a chunk with %s', async (_, delta) => {
    const { state, relay: it } = relay();
    const shown = chunk([{ index: 0, delta, finish_reason: null }]);
    async function* source(): AsyncGenerator<ChatChunk> {
      yield shown;
      expect(state.hasSent).toBe(true);
    }
    await it.pump(source());
  });

  it('shows the opening of an answer without text, and keeps no more of one than it should', async () => {
    const role = chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]);
    const short = relay();
    await short.relay.pump(of(role, finish()));
    expect(short.sink.frames).toEqual([role.data]);

    const long = relay();
    const filler = chunk([], { prompt_filter_results: 'x'.repeat(6000) });
    const held: number[] = [];
    async function* source(): AsyncGenerator<ChatChunk> {
      for (let sent = 0; sent < 4; sent += 1) {
        yield filler;
        held.push(sent + 1 - long.sink.frames.length);
      }
    }
    await long.relay.pump(source());
    expect(held).toEqual([1, 2, 0, 0]);
  });

  it('does not call text shown that only opened the stream', async () => {
    const { state, relay: it } = relay({}, [TOOL]);
    await it.pump(of(call({ id: 's', function: { name: 'current_time', arguments: '{}' } })));
    expect(state.hasSent).toBe(false);
  });

  it('waits for a slow client before it reads on', async () => {
    const { sink, relay: it } = relay();
    const read: string[] = [];
    let release: () => void = () => undefined;
    sink.write = (({ data }: ChatChunk) => {
      sink.frames.push(data);
      return new Promise<void>((resolve) => (release = resolve));
    }) as never;
    async function* source(): AsyncGenerator<ChatChunk> {
      for (const word of ['a', 'b']) {
        read.push(word);
        yield text(word);
      }
    }
    const pumping = it.pump(source());
    await new Promise((resolve) => setImmediate(resolve));
    expect(read).toEqual(['a']);
    release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(read).toEqual(['a', 'b']);
    release();
    await pumping;
  });
});
