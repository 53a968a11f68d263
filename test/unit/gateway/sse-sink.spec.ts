import { EventEmitter } from 'node:events';
import type { FastifyReply } from 'fastify';
import type { JsonObject } from '../../../src/common/index';
import { ServiceUnavailableError } from '../../../src/errors/index';
import type { CompletionMeta } from '../../../src/execution/index';
import { SseSink } from '../../../src/gateway/sse-sink';
import { type AnswerRecorder, ClientGoneError, RequestState } from '../../../src/observability/index';
import { JsonChunk } from '../../../src/providers/index';

const aChunk = (value: JsonObject): JsonChunk => new JsonChunk(value);

/** A response whose client stays connected and takes nothing. */
class StuckResponse extends EventEmitter {
  readonly written: string[] = [];
  head?: Record<string, string>;
  destroyed = false;
  writableLength = 0;
  patienceMs?: number;

  setTimeout(ms: number, listener: () => void): void {
    this.patienceMs = ms;
    this.on('timeout', listener);
  }

  writeHead(_status: number, head: Record<string, string>): void {
    this.head = head;
  }

  write(frame: string): boolean {
    this.written.push(frame);
    this.writableLength += frame.length;
    return false;
  }

  end(frame: string): void {
    this.write(frame);
  }

  drain(): void {
    this.writableLength = 0;
    this.emit('drain');
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

describe(SseSink.name, () => {
  let raw: StuckResponse;
  let state: RequestState;

  beforeEach(() => {
    raw = new StuckResponse();
    state = new RequestState();
  });

  function open(recorder?: AnswerRecorder): SseSink {
    state.recorder = recorder;
    const reply = { raw, request: { lattice: state }, hijack: () => undefined, getHeaders: () => ({}) };
    const sink = new SseSink(reply as unknown as FastifyReply, 'req_1', state.controller.signal);
    sink.open({ warnings: [], decisionId: '', requestId: '' } as unknown as CompletionMeta);
    return sink;
  }

  function recorder(): AnswerRecorder & { readonly taken: string[] } {
    const taken: string[] = [];
    const nothing = async (): Promise<void> => undefined;
    return {
      taken,
      begin: () => undefined,
      write: (frame) => void taken.push(frame),
      end: nothing,
      fail: nothing,
      answer: nothing,
    };
  }

  it('lets nobody store the answer on the way', () => {
    open();
    expect(raw.head?.['cache-control']).toBe('no-store, no-transform');
  });

  it('waits for a slow client, and no longer once it reads', async () => {
    const sink = open();
    for (let frame = 0; frame < 3; frame += 1) {
      const waiting = sink.write(aChunk({}));
      raw.drain();
      await waiting;
      raw.emit('timeout');
    }
    expect([raw.destroyed, state.controller.signal.aborted]).toEqual([false, false]);
  });

  it('waits once for everything that a slow client has not taken', async () => {
    const sink = open();
    const [first, ...more] = Array.from({ length: 20 }, () => sink.write(aChunk({})));
    expect(more.every((waiting) => waiting === first)).toBe(true);
    expect([raw.listenerCount('drain'), raw.listenerCount('close')]).toEqual([1, 1]);
    raw.drain();
    await first;
    expect(sink.write(aChunk({}))).not.toBe(first);
  });

  it('gives up a client that reads nothing for a minute, and ends the work that was for it', async () => {
    const waiting = open().write(aChunk({}));
    expect(raw.patienceMs).toBe(60_000);
    raw.emit('timeout');
    await waiting;
    expect(raw.destroyed).toBe(true);
    expect(state.controller.signal.reason).toBeInstanceOf(ClientGoneError);
    expect([raw.listenerCount('drain'), raw.listenerCount('close')]).toEqual([0, 0]);
  });

  it('goes on for the recorder alone, and waits no more', async () => {
    const record = recorder();
    const sink = open(record);
    const waiting = sink.write(aChunk({ a: 1 }));
    raw.emit('timeout');
    await waiting;
    expect([raw.destroyed, state.controller.signal.aborted]).toEqual([true, false]);
    expect(sink.write(aChunk({ a: 2 }))).toBeUndefined();
    sink.end();
    expect(record.taken).toEqual(['data: {"a":1}\n\n', 'data: {"a":2}\n\n', 'data: [DONE]\n\n']);
    expect(raw.written).toEqual(['data: {"a":1}\n\n']);
  });

  it('ends the work when the answer has become too long for the recorder meanwhile', async () => {
    const waiting = open(recorder()).write(aChunk({}));
    state.recorder = undefined;
    raw.emit('timeout');
    await waiting;
    expect(state.controller.signal.reason).toBeInstanceOf(ClientGoneError);
  });

  it.each<[string, (sink: SseSink) => void]>([
    ['the end', (sink) => sink.end()],
    ['an error', (sink) => sink.fail(new ServiceUnavailableError('away'))],
  ])('does not keep the connection of a client that never takes %s', (_, finish) => {
    finish(open());
    expect(raw.destroyed).toBe(false);
    raw.emit('timeout');
    expect(raw.destroyed).toBe(true);
  });
});
