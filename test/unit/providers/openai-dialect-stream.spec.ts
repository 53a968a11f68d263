import { ChunkDecoder } from '../../../src/providers/adapters/openai-dialect/stream';
import { chunk, DONE, event, USAGE_CHUNK } from '../../support/contract/openai-dialect.goldens';

function decode(...parts: readonly (string | Buffer)[]): ChunkDecoder {
  const decoder = new ChunkDecoder('r-1');
  for (const part of parts) decoder.feed(Buffer.from(part));
  return decoder;
}

function count(decoder: ChunkDecoder): number {
  let taken = 0;
  while (decoder.take()) taken += 1;
  return taken;
}

describe(ChunkDecoder.name, () => {
  it('gives the same chunks however the bytes are cut, also inside a character', () => {
    const bytes = Buffer.from(chunk({ content: 'Zoë 日本 🦩' }) + chunk({}, 'stop') + DONE);
    for (let at = 1; at < bytes.length; at += 1) {
      const decoder = decode(bytes.subarray(0, at), bytes.subarray(at));
      expect(decoder.take()?.data).toContain('Zoë 日本 🦩');
      expect(decoder.isComplete).toBe(true);
      expect(decoder.malformedLines).toBe(0);
    }
  });

  it('keeps the text of a chunk as the upstream wrote it', () => {
    const written = '{"b": 1.0,  "a":"\\u00e9","choices":[]}';
    expect(decode(`data: ${written}\r\n\r\n`).take()).toEqual({
      data: written,
      chunk: { b: 1, a: 'é', choices: [] },
    });
  });

  it('reports usage, finish reason and model', () => {
    expect(decode(chunk({}, 'length'), USAGE_CHUNK, DONE).report()).toMatchObject({
      usage: { promptTokens: 12, completionTokens: 5 },
      finishReason: 'length',
      rawFinishReason: 'length',
      modelServed: 'test-model-1',
      upstreamRequestId: 'r-1',
      warnings: [],
    });
  });

  it('leaves unknown what the upstream never said', () => {
    const report = decode(event({ choices: [{ index: 0, delta: { content: 'a' } }] })).report();
    expect(report.usage).toEqual({});
    expect(report.rawUsage).toBeUndefined();
    expect(report.finishReason).toBe('unknown');
    expect(report.modelServed).toBeUndefined();
  });

  it('is complete only when every choice has finished', () => {
    const two = chunk({ content: 'a' }) + chunk({ content: 'b' }, null, 1) + chunk({}, 'stop', 1);
    expect(decode(two).isComplete).toBe(false);
    expect(decode(two, chunk({}, 'length', 0)).isComplete).toBe(true);
    expect(decode(two, chunk({}, 'length', 0)).report().rawFinishReason).toBe('length');
  });

  it('is complete only when every choice that was asked for has finished, however often another one has', () => {
    const two = (...parts: readonly string[]): ChunkDecoder => {
      const decoder = new ChunkDecoder('r-1', 2);
      for (const part of parts) decoder.feed(Buffer.from(part));
      return decoder;
    };
    const first = chunk({ content: 'a' }) + chunk({}, 'stop');
    expect(two(first).isComplete).toBe(false);
    expect(two(first, chunk({}, 'stop')).isComplete).toBe(false);
    expect(two(first, chunk({ content: 'b' }, null, 1), chunk({}, 'stop')).isComplete).toBe(false);
    expect(two(first, chunk({}, 'stop', 1)).isComplete).toBe(true);
    expect(two(first, DONE).isComplete).toBe(true);
  });

  it.each([
    ['broken JSON', 'data: {"choices"\n\n'],
    ['JSON that is no object', 'data: [1]\n\n'],
    ['an unknown field', 'nonsense: 1\n\n'],
  ])('counts %s and goes on', (_name, line) => {
    const decoder = decode(line, chunk({ content: 'a' }));
    expect(decoder.malformedLines).toBe(1);
    expect(count(decoder)).toBe(1);
  });

  it('ignores comments', () => {
    expect(decode(': waiting\n\n').malformedLines).toBe(0);
  });

  it.each([
    ['an error object', event({ error: { message: 'a', code: 'server_error' } }), 'a'],
    ['an error text', event({ error: 'a' }), 'a'],
    ['an event named error', 'event: error\ndata: {"message":"a"}\n\n', 'a'],
    ['an event named error without JSON', 'event: error\ndata: oops\n\n', undefined],
  ])('takes %s as the end', (_name, frame, message) => {
    const decoder = decode(chunk({ content: 'a' }), frame, chunk({ content: 'b' }));
    expect(decoder.failure?.message).toBe(message);
    expect(count(decoder)).toBe(1);
  });

  it('takes a null error for none', () => {
    expect(decode(event({ error: null, choices: [] })).failure).toBeUndefined();
  });

  it('ignores what follows [DONE]', () => {
    expect(count(decode(chunk({}, 'stop'), DONE + chunk({ content: 'late' })))).toBe(1);
  });

  it('gives up on an event without end', () => {
    const decoder = decode(`data: ${'x'.repeat(9 * 1024 * 1024)}`, 'x'.repeat(9 * 1024 * 1024));
    expect(decoder.isOverflown).toBe(true);
    expect(decoder.isOver).toBe(true);
  });
});
