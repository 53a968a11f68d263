import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { StoredEvent } from '../../../src/events/event';
import { EventStream, type ReadAfter } from '../../../src/events/event-stream';
import { ServiceUnavailableError } from '../../../src/errors/index';
import { eventually } from '../../support/eventually';

/** A response whose client reads only when it is told to. */
class SlowResponse extends EventEmitter {
  readonly written: string[] = [];
  isFull = false;
  destroyed = false;
  isEnded = false;

  get writableNeedDrain(): boolean {
    return this.isFull;
  }

  write(frame: string): boolean {
    this.written.push(frame);
    return !this.isFull;
  }

  end(frame?: string): void {
    if (frame) this.written.push(frame);
    this.isEnded = true;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }

  read(): void {
    this.isFull = false;
    this.emit('drain');
  }

  get numbers(): number[] {
    return this.written.flatMap((frame) => {
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      return data ? [(JSON.parse(data) as { data: { number: number } }).data.number] : [];
    });
  }
}

function events(from: number, to: number, more: Partial<StoredEvent> = {}): StoredEvent[] {
  return Array.from({ length: to - from + 1 }, (_, index) => ({
    id: '00000000-0000-7000-8000-000000000000',
    position: String(from + index),
    type: 'test.happened',
    resource: 'run_1',
    ownerId: 'ada',
    at: new Date(0),
    data: { number: from + index },
    ...more,
  }));
}

describe(EventStream.name, () => {
  let response: SlowResponse;
  let table: StoredEvent[];
  let readings: string[];

  beforeEach(() => {
    response = new SlowResponse();
    table = [];
    readings = [];
  });

  const readAfter: ReadAfter = async (position, _filter, limit) => {
    readings.push(position);
    return table.filter((event) => BigInt(event.position) > BigInt(position)).slice(0, limit);
  };

  function open(position = '0'): EventStream {
    const stream = new EventStream(
      response as unknown as ServerResponse,
      { ownerId: 'ada' },
      position,
      readAfter,
    );
    void stream.run();
    return stream;
  }

  const sent = (count: number): Promise<number[]> =>
    eventually(async () => (response.numbers.length >= count ? response.numbers : undefined));

  const range = (from: number, to: number): number[] =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index);

  it('tells the client where it stands before anything has happened', async () => {
    open('41');
    await eventually(async () => response.written[0]);
    expect(response.written[0]).toBe('id: 41\n\n');
  });

  it('sends what the table and the feed both have once', async () => {
    table = events(1, 3);
    const stream = open();
    await eventually(async () => readings[0]);
    stream.push(events(2, 5));
    await expect(sent(5)).resolves.toEqual([1, 2, 3, 4, 5]);
    stream.push(events(5, 6));
    await expect(sent(6)).resolves.toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('keeps what the feed tells while the table is being read', async () => {
    let answer: (found: StoredEvent[]) => void = () => undefined;
    const reading = new Promise<StoredEvent[]>((resolve) => {
      answer = resolve;
    });
    const stream = new EventStream(response as unknown as ServerResponse, {}, '0', (position) => {
      readings.push(position);
      return reading;
    });
    void stream.run();
    await eventually(async () => readings[0]);
    stream.push(events(2, 3));
    answer(events(1, 2));
    await expect(sent(3)).resolves.toEqual([1, 2, 3]);
  });

  it('leaves out what is not meant for it', async () => {
    const stream = open();
    await eventually(async () => readings[0]);
    stream.push([...events(1, 1, { ownerId: 'bob' }), ...events(2, 2, { ownerId: null }), ...events(3, 3)]);
    await expect(sent(1)).resolves.toEqual([3]);
  });

  it('writes no further to a client that does not read', async () => {
    const stream = open();
    await eventually(async () => readings[0]);
    response.isFull = true;
    stream.push(events(1, 10));
    await sent(1);
    stream.beat();
    await new Promise((resolve) => setImmediate(resolve));
    expect(response.numbers).toEqual([1]);
    expect(response.written.some((frame) => frame.startsWith(':'))).toBe(false);
    response.read();
    await expect(sent(10)).resolves.toEqual(range(1, 10));
  });

  it('cuts a client that reads nothing for four beats, and not one that is slow', async () => {
    const stream = open();
    await eventually(async () => readings[0]);
    response.isFull = true;
    stream.push(events(1, 2));
    await sent(1);
    for (let beat = 0; beat < 3; beat += 1) stream.beat();
    response.read();
    await sent(2);
    response.isFull = true;
    stream.push(events(3, 4));
    await sent(3);
    for (let beat = 0; beat < 3; beat += 1) stream.beat();
    expect(response.destroyed).toBe(false);
    stream.beat();
    expect(response.destroyed).toBe(true);
  });

  it('keeps a bounded number for a slow client and reads the rest again when it is ready', async () => {
    const stream = open();
    await eventually(async () => readings[0]);
    response.isFull = true;
    table = events(1, 2000);
    for (let from = 1; from <= 2000; from += 100) stream.push(events(from, from + 99));
    await sent(1);
    const waiting = (stream as unknown as { waiting: unknown[] }).waiting;
    expect(waiting.length).toBeLessThanOrEqual(500);
    response.read();
    await expect(sent(2000)).resolves.toEqual(range(1, 2000));
  });

  it('ends with an error as the last event, and cuts a client that would never see it', async () => {
    const stream = open();
    await eventually(async () => readings[0]);
    stream.end(new ServiceUnavailableError('leaving'), 'req_1');
    expect(response.isEnded).toBe(true);
    expect(response.written.at(-1)).toMatch(
      /^event: error\ndata: {"error":{"message":"leaving".*"req_1".*\n\n$/,
    );

    response = new SlowResponse();
    const stuck = open();
    response.isFull = true;
    stuck.end(new ServiceUnavailableError('leaving'));
    expect(response).toMatchObject({ destroyed: true, isEnded: false });
  });

  it('stops when the client goes away', async () => {
    const stream = new EventStream(response as unknown as ServerResponse, {}, '0', readAfter);
    const run = stream.run();
    await eventually(async () => readings[0]);
    response.destroy();
    await run;
    stream.push(events(1, 1));
    stream.beat();
    expect(response.numbers).toEqual([]);
  });
});
