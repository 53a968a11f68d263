import type { FastifyReply } from 'fastify';
import type { JsonObject } from '../../../../src/common/index';
import { type ChatChunk, type CompletionMeta, JsonChunk } from '../../../../src/execution/index';
import { MessageSink } from '../../../../src/gateway/messages/message-sink';
import type { MessagesRequest } from '../../../../src/gateway/messages/request';
import { RequestState } from '../../../../src/observability/index';

describe(MessageSink.name, () => {
  const written: string[] = [];
  beforeEach(() => void written.splice(0));

  function open(): MessageSink {
    const raw = {
      writeHead: () => undefined,
      setTimeout: () => undefined,
      write: (events: string) => written.push(events) > 0,
      destroyed: false,
    };
    const state = new RequestState();
    const reply = { raw, request: { lattice: state }, hijack: () => undefined, getHeaders: () => ({}) };
    const request = { stopSequences: [], showsThinking: false } as unknown as MessagesRequest;
    const sink = new MessageSink(reply as unknown as FastifyReply, 'req_1', request, state.controller.signal);
    sink.open({ warnings: [], decisionId: '', requestId: '' } as unknown as CompletionMeta);
    return sink;
  }

  const delta = (content: string): JsonObject => ({
    id: 'c',
    model: 'm',
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
  });

  it('reads what the upstream’s adapter has parsed, and asks for the text of no chunk', () => {
    const chunk: ChatChunk = {
      chunk: delta('hello'),
      get data(): string {
        throw new Error('Nobody may want the text');
      },
    };
    void open().write(chunk);
    expect(written.join('')).toContain('{"type":"text_delta","text":"hello"}');
  });

  it('writes the same for a chunk that was made here', () => {
    void open().write(new JsonChunk(delta('made')));
    expect(written.join('')).toContain('{"type":"text_delta","text":"made"}');
  });
});
