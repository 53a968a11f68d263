import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { RequestContext } from '../../../src/common/index';
import { ServiceUnavailableError } from '../../../src/errors/index';
import { EventReaders } from '../../../src/events/event-readers';
import type { EventFilter } from '../../../src/events/event-resources';
import { EventStreams, MAX_STREAMS_PER_USER } from '../../../src/events/event-streams.service';
import { TooManyEventStreamsError } from '../../../src/events/events.errors';
import type { FollowerSeat } from '../../../src/events/follower-seats';
import { type AppLogger, OpenRequests } from '../../../src/observability/index';

const ctx = { requestId: '0', principal: { userId: 'ada', role: 'operator' } } as unknown as RequestContext;

class Response extends EventEmitter {
  readonly written: string[] = [];
  readonly destroyed = false;
  readonly writableNeedDrain = false;

  write(frame: string): boolean {
    return this.written.push(frame) > 0;
  }

  end(frame: string): void {
    this.written.push(frame);
    this.emit('close');
  }
}

describe(EventStreams.name, () => {
  let streams: EventStreams;
  let requests: OpenRequests;
  let isActive: boolean;
  let isAway: boolean;
  let filter: EventFilter;
  let asked: string[];
  let left: unknown[];

  beforeEach(() => {
    jest.useFakeTimers();
    isActive = true;
    isAway = false;
    filter = { ownerId: 'ada' };
    asked = [];
    left = [];
    requests = new OpenRequests();
    streams = new EventStreams(
      {
        head: async () => {
          asked.push('head');
          return '7';
        },
        after: async () => [],
      } as never,
      { listen: () => () => undefined } as never,
      new EventReaders(
        {
          recheck: async () => {
            asked.push('recheck');
            if (isAway) throw new ServiceUnavailableError('PostgreSQL is away');
            return isActive ? ctx.principal : undefined;
          },
        } as never,
        {
          filterFor: async (_principal: unknown, resource: string) => {
            asked.push(`filter of ${resource}`);
            return { ...filter };
          },
        } as never,
      ),
      {
        take: async (resource: string) => (resource.startsWith('prj_') ? { resource } : undefined),
        leave: (seat: unknown) => left.push(seat),
        check: async () => asked.push('seats'),
      } as never,
      requests,
      { error: () => undefined } as unknown as AppLogger,
    );
    streams.onModuleInit();
  });

  afterEach(() => jest.useRealTimers());

  async function open(resource = 'me'): Promise<Response> {
    const raw = new Response();
    streams.start(await streams.plan(ctx, resource), () => raw as unknown as ServerResponse);
    return raw;
  }

  it('sends a sign of life every 15 seconds, until the stream ends', async () => {
    const raw = await open();
    await jest.advanceTimersByTimeAsync(45_000);
    expect(raw.written.filter((frame) => frame.startsWith(':'))).toHaveLength(3);
    raw.emit('close');
    await jest.advanceTimersByTimeAsync(45_000);
    expect(raw.written.filter((frame) => frame.startsWith(':'))).toHaveLength(3);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('asks every minute whether the reader may still read', async () => {
    const raw = await open();
    await jest.advanceTimersByTimeAsync(61_000);
    expect(raw.written.join('')).not.toContain('event: error');
    isAway = true;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(raw.written.join('')).not.toContain('event: error');
    isAway = false;
    isActive = false;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(raw.written.at(-1)).toContain('UNAUTHENTICATED');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('asks once for each reader and once for each resource, however many streams are open', async () => {
    for (const resource of ['me', 'me', 'me', 'key_1']) await open(resource);
    asked.length = 0;
    await streams.recheck();
    expect(asked).toEqual(['seats', 'recheck', 'filter of me', 'filter of key_1']);
  });

  it('refuses one stream too many before it asks anything', async () => {
    for (let count = 0; count < MAX_STREAMS_PER_USER; count += 1) await open();
    asked.length = 0;
    await expect(open()).rejects.toMatchObject({ status: 429 });
    expect(asked).toEqual([]);
  });

  it('leaves its seat when it ends', async () => {
    const raw = await open('prj_1');
    expect(left).toEqual([]);
    raw.emit('close');
    expect(left).toEqual([{ resource: 'prj_1', onLost: expect.any(Function) }]);
  });

  it('leaves its seat when the client is gone before it starts', async () => {
    const plan = await streams.plan(ctx, 'prj_1');
    streams.start(
      plan,
      () => Object.assign(new Response(), { destroyed: true }) as unknown as ServerResponse,
    );
    expect(left).toEqual([plan.seat]);
  });

  it('leaves its seat when the answer cannot be begun', async () => {
    const plan = await streams.plan(ctx, 'prj_1');
    const open = (): ServerResponse => {
      throw new Error('headers sent');
    };
    expect(() => streams.start(plan, open)).toThrow('headers sent');
    expect(left).toEqual([plan.seat]);
  });

  it('leaves its seat when its user has opened too many others meanwhile', async () => {
    const planned = streams.plan(ctx, 'prj_1');
    for (let count = 0; count < MAX_STREAMS_PER_USER; count += 1) {
      const plan = { ctx, resource: 'me', filter, position: '7' };
      streams.start(plan, () => new Response() as unknown as ServerResponse);
    }
    await expect(planned).rejects.toMatchObject({ status: 429 });
    expect(left).toEqual([{ resource: 'prj_1' }]);
  });

  it('ends with an error when its seat is lost', async () => {
    const plan = await streams.plan(ctx, 'prj_1');
    const raw = new Response();
    streams.start(plan, () => raw as unknown as ServerResponse);
    const seat = plan.seat as FollowerSeat;
    seat.onLost?.(new TooManyEventStreamsError('10 follow it'));
    expect(raw.written.at(-1)).toContain('TOO_MANY_EVENT_STREAMS');
    expect(left).toEqual([seat]);
  });

  it.each<[string, EventFilter]>([
    ['less', { ownerId: 'ada', resource: 'key_1' }],
    ['more', {}],
  ])('ends the stream when its reader may read %s than before', async (_, next) => {
    const raw = await open();
    await streams.recheck();
    expect(raw.written.join('')).not.toContain('event: error');
    filter = next;
    await streams.recheck();
    expect(raw.written.at(-1)).toContain('FORBIDDEN');
  });

  it('ends all streams when draining starts, and opens none after that', async () => {
    const open1 = await open();
    const plan = await streams.plan(ctx, 'me');
    await requests.drain(0, 0);
    expect(open1.written.at(-1)).toContain('SERVICE_UNAVAILABLE');
    await expect(streams.plan(ctx, 'me')).rejects.toMatchObject({ status: 503 });
    const late = new Response();
    streams.start(plan, () => late as unknown as ServerResponse);
    expect(late.written.at(-1)).toContain('SERVICE_UNAVAILABLE');
  });
});
