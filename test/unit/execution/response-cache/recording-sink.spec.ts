import type { JsonObject } from '../../../../src/common/index';
import { CancelledError, type ChatChunk, type StreamSink } from '../../../../src/execution/index';
import { Flight } from '../../../../src/execution/response-cache/flight';
import { MAX_ANSWER_BYTES } from '../../../../src/execution/response-cache/kept-answer';
import { RecordingSink } from '../../../../src/execution/response-cache/recording-sink';

/** A client that takes nothing before it is told to. */
class SlowClient implements StreamSink {
  isOpen = false;
  readonly got: string[] = [];
  private readonly gate = Promise.withResolvers<void>();
  open(): void {
    this.isOpen = true;
  }
  write({ data }: ChatChunk): Promise<void> {
    this.got.push(data);
    return this.gate.promise;
  }
  end(): void {
    this.got.push('end');
  }
  fail(): void {
    this.got.push('fail');
  }
  wake(): void {
    this.gate.resolve();
  }
}

const META = {} as never;
const chunk = (data: string, finish?: string): ChatChunk => ({
  data,
  chunk: { choices: [{ finish_reason: finish ?? null }] } as unknown as JsonObject,
});

function recording() {
  const client = new SlowClient();
  const flight = new Flight();
  const sink = new RecordingSink(client, flight);
  sink.open(META);
  return { client, flight, sink };
}

/** Has the promise been resolved when everything that is due has run? */
async function isResolved(promise: Promise<void> | undefined): Promise<boolean> {
  let done = promise === undefined;
  void promise?.then(() => (done = true));
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

describe(RecordingSink.name, () => {
  it('passes everything on and remembers it', async () => {
    const { client, sink } = recording();
    client.wake();
    await sink.write(chunk('a'));
    await sink.write(chunk('b', 'stop'));
    sink.end({} as never);
    expect(client.got).toEqual(['a', 'b', 'end']);
    expect([sink.recorded(), sink.finishReason]).toEqual([['a', 'b'], 'stop']);
  });

  it('waits for its client as long as nobody else waits for the answer', async () => {
    const { client, sink, flight } = recording();
    const waiting = sink.write(chunk('a'));
    expect(await isResolved(waiting)).toBe(false);
    flight.join();
    expect(await isResolved(waiting)).toBe(true);
    expect(await isResolved(sink.write(chunk('b')))).toBe(true);
    expect(client.got).toEqual(['a', 'b']);
  });

  it('forgets an answer that grows too large, lets those go who wait, and keeps to its client’s pace again', async () => {
    const { client, sink, flight } = recording();
    flight.join();
    const end = flight.outcome(new AbortController().signal);
    const half = 'x'.repeat(MAX_ANSWER_BYTES / 2);
    expect(await isResolved(sink.write(chunk(half)))).toBe(true);
    expect(await isResolved(sink.write(chunk(half)))).toBe(true);
    const over = sink.write(chunk('x'));
    expect(await isResolved(over)).toBe(false);
    expect(await end).toEqual({});
    expect([sink.recorded(), flight.isOpen]).toEqual([undefined, false]);
    client.wake();
    await over;
  });

  it('goes on without a client that left, and tells it that its answer has ended', async () => {
    const { client, sink } = recording();
    void sink.write(chunk('a'));
    sink.detach(new CancelledError('gone'));
    expect(await isResolved(sink.write(chunk('b')))).toBe(true);
    sink.end({} as never);
    expect(client.got).toEqual(['a', 'fail']);
    expect(sink.recorded()).toEqual(['a', 'b']);
    expect(sink.isOpen).toBe(true);
  });

  it('never opens the answer of a client that left before it began', () => {
    const client = new SlowClient();
    const sink = new RecordingSink(client, new Flight());
    sink.detach(new CancelledError('gone'));
    sink.open(META);
    expect([sink.isOpen, client.isOpen, client.got]).toEqual([true, false, []]);
  });

  it('remembers nothing of an answer that broke', () => {
    const { client, sink } = recording();
    void sink.write(chunk('a'));
    sink.fail(new CancelledError('broken'));
    expect([client.got, sink.recorded()]).toEqual([['a', 'fail'], undefined]);
  });
});
