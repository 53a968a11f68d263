import { Logger } from '@nestjs/common';
import { BackgroundLoop } from '../../../src/observability/index';

const INTERVAL_MS = 1000;

/** Work whose runs end when the test says so. */
class Work {
  readonly signals: AbortSignal[] = [];
  private readonly ends: PromiseWithResolvers<void>[] = [];

  readonly run = (signal: AbortSignal): Promise<void> => {
    this.signals.push(signal);
    const end = Promise.withResolvers<void>();
    this.ends.push(end);
    return end.promise;
  };

  get runs(): number {
    return this.signals.length;
  }

  async end(error?: unknown): Promise<void> {
    const end = this.ends.shift();
    if (error === undefined) end?.resolve();
    else end?.reject(error);
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

describe(BackgroundLoop.name, () => {
  let work: Work;
  let loop: BackgroundLoop;
  let logged: jest.SpyInstance;

  beforeEach(() => {
    jest.useFakeTimers();
    logged = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
    work = new Work();
    loop = new BackgroundLoop('counting sheep', INTERVAL_MS, work.run);
  });

  afterEach(() => {
    jest.useRealTimers();
    logged.mockRestore();
  });

  it('runs once per interval, never twice at once', async () => {
    loop.start();
    expect(work.runs).toBe(0);
    jest.advanceTimersByTime(INTERVAL_MS);
    jest.advanceTimersByTime(3 * INTERVAL_MS);
    expect(work.runs).toBe(1);
    await work.end();
    expect(work.runs).toBe(1);
    jest.advanceTimersByTime(INTERVAL_MS);
    expect(work.runs).toBe(2);
  });

  it('runs when it is woken, and once more for any number of wakes during a run', async () => {
    loop.start();
    loop.wake();
    expect(work.runs).toBe(1);
    loop.wake();
    loop.wake();
    expect(work.runs).toBe(1);
    await work.end();
    expect(work.runs).toBe(2);
    await work.end();
    expect(work.runs).toBe(2);
  });

  it('is not woken before its start and after its stop', async () => {
    loop.wake();
    loop.start();
    await loop.stop();
    loop.wake();
    jest.advanceTimersByTime(2 * INTERVAL_MS);
    expect(work.runs).toBe(0);
  });

  it('tells the run under way to stop, waits for it and begins none behind it', async () => {
    loop.start();
    loop.wake();
    loop.wake();
    let isStopped = false;
    const stopped = loop.stop().then(() => (isStopped = true));
    await settle();
    expect([isStopped, work.signals[0]?.aborted]).toEqual([false, true]);
    await work.end();
    await stopped;
    expect(work.runs).toBe(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('may be started again, with a signal of its own', async () => {
    loop.start();
    await loop.stop();
    loop.start();
    loop.wake();
    expect(work.signals[0]?.aborted).toBe(false);
  });

  it('is paused from inside its own run', async () => {
    loop.start();
    loop.wake();
    loop.pause();
    await work.end();
    jest.advanceTimersByTime(2 * INTERVAL_MS);
    expect([work.runs, work.signals[0]?.aborted]).toEqual([1, false]);
  });

  it('gives the end of a run that began after one asked for it, also when it is not started', async () => {
    const first = loop.runNow();
    let isOver = false;
    const second = loop.runNow().then(() => (isOver = true));
    await work.end();
    await first;
    await settle();
    expect([work.runs, isOver]).toEqual([2, false]);
    await work.end();
    await second;
  });

  it('logs a failure by the name of the work and goes on; that PostgreSQL is away is no news', async () => {
    loop.start();
    loop.wake();
    await work.end(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    expect(logged).not.toHaveBeenCalled();
    loop.wake();
    await work.end(new Error('no such column'));
    expect(logged).toHaveBeenCalledTimes(1);
    expect(String(logged.mock.calls[0]?.[0])).toMatch(/counting sheep.*no such column/);
    jest.advanceTimersByTime(INTERVAL_MS);
    expect(work.runs).toBe(3);
  });
});
