import type { LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { AiSdkStream } from '../../../../src/providers/adapters/ai-sdk/ai-sdk-stream';
import { Exchange } from '../../../../src/providers/adapters/ai-sdk/exchange';
import type { AiSdkVendor } from '../../../../src/providers/adapters/ai-sdk/vendor';

const TIMEOUTS = { connectMs: 100, firstByteMs: 200, idleMs: 300, totalMs: 1000 };
const QUIET_MS = 3000;

function openStream(): Exchange {
  const exchange = new Exchange({
    timeouts: TIMEOUTS,
    signal: new AbortController().signal,
    isStream: true,
  });
  exchange.requested();
  exchange.sent();
  return exchange;
}

/** Bytes come more often than the idle time runs out. */
async function keepAlive(exchange: Exchange, forMs: number): Promise<void> {
  for (let passed = 0; passed < forMs; passed += 100) {
    exchange.received(10);
    exchange.awaitingBytes();
    await jest.advanceTimersByTimeAsync(100);
  }
}

describe(Exchange.name, () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('waits for the first part as long as for the first byte and ten times the idle time', async () => {
    const exchange = openStream();
    exchange.awaitingPart();
    await keepAlive(exchange, TIMEOUTS.firstByteMs + QUIET_MS - 100);
    expect(exchange.endedBy).toBeUndefined();
    await keepAlive(exchange, 100);
    expect(exchange.endedBy).toBe('quiet');
    expect(exchange.signal.aborted).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('waits anew for every part, and not while nobody asks for one', async () => {
    const exchange = openStream();
    exchange.receivedPart();
    await keepAlive(exchange, 2 * QUIET_MS);
    for (let part = 0; part < 3; part += 1) {
      exchange.awaitingPart();
      await keepAlive(exchange, QUIET_MS - 100);
      exchange.receivedPart();
    }
    expect(exchange.endedBy).toBeUndefined();
    exchange.awaitingPart();
    await keepAlive(exchange, QUIET_MS);
    expect(exchange.endedBy).toBe('quiet');
  });

  it('ends by silence as before', async () => {
    const exchange = openStream();
    exchange.received(10);
    exchange.awaitingBytes();
    await jest.advanceTimersByTimeAsync(TIMEOUTS.idleMs);
    expect(exchange.endedBy).toBe('idle');
  });

  it.each([
    ['an event', true, 16],
    ['an answer', false, 64],
  ])('reads no more of %s than it should', (_, isStream, mebibytes) => {
    const signal = new AbortController().signal;
    const exchange = new Exchange({ timeouts: TIMEOUTS, signal, isStream });
    exchange.received(mebibytes * 1024 * 1024);
    expect(exchange.endedBy).toBeUndefined();
    exchange.received(1);
    expect(exchange.endedBy).toBe('size');
  });

  it('reads any number of events', () => {
    const exchange = openStream();
    for (let event = 0; event < 40; event += 1) {
      exchange.received(1024 * 1024);
      exchange.receivedPart();
    }
    expect(exchange.endedBy).toBeUndefined();
    exchange.finish();
  });
});

describe(AiSdkStream.name, () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  /** Parts that come out of pings or broken lines, or before anything was received. */
  const NOISE: readonly LanguageModelV4StreamPart[] = [
    { type: 'stream-start', warnings: [] },
    { type: 'raw', rawValue: { type: 'ping' } },
  ];

  it.each(NOISE)('does not take $type for a part of the answer', async (noise) => {
    const exchange = openStream();
    let write: (part: LanguageModelV4StreamPart) => void = () => undefined;
    const stream = new ReadableStream<LanguageModelV4StreamPart>({
      start: (controller) => {
        write = (part) => controller.enqueue(part);
        exchange.signal.addEventListener('abort', () => controller.error(new Error('aborted')));
      },
    });
    const vendor = { provider: 'google', requestIdHeaders: [], earlyUsage: () => undefined };
    const identity = { id: 'c', model: 'm', created: 0 };
    const { chunks } = new AiSdkStream(
      { stream },
      {
        vendor: vendor as unknown as AiSdkVendor,
        exchange,
        identity,
        warnings: [],
        includeUsage: false,
      },
    );
    const iterator = chunks[Symbol.asyncIterator]();
    const first = iterator.next();
    write({ type: 'text-delta', id: '0', delta: 'Hi' });
    expect((await first).done).toBe(false);
    await iterator.next();
    const stalled = iterator.next().catch((error: unknown) => error);
    for (let passed = 0; passed < QUIET_MS; passed += 100) {
      write(noise);
      await keepAlive(exchange, 100);
    }
    expect(await stalled).toMatchObject({
      fault: 'timeout',
      message: expect.stringContaining('kept its connection alive'),
    });
  });
});
