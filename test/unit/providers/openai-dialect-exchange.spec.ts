import type { Dispatcher } from 'undici';
import type { ErrorContext } from '../../../src/providers/adapters/safe-message';
import { Exchange } from '../../../src/providers/adapters/openai-dialect/exchange';
import { StreamExchange } from '../../../src/providers/adapters/openai-dialect/stream-exchange';
import type { ChatChunk, ProviderError } from '../../../src/providers/index';
import { chunk, DONE } from '../../support/contract/openai-dialect.goldens';

const CONTEXT: ErrorContext = { provider: 'openai' };
const LIMITS = { connectMs: 100, firstByteMs: 200, idleMs: 300, totalMs: 1000 };
const OPTIONS: Dispatcher.DispatchOptions = { method: 'POST', path: '/' };
const SSE = { 'content-type': 'text/event-stream' };

/** Takes a request and does nothing with it. */
const silent = { dispatch: () => true } as unknown as Dispatcher;

function controller() {
  return {
    abort: jest.fn(),
    pause: jest.fn(),
    resume: jest.fn(),
    aborted: false,
    paused: false,
    reason: null,
  };
}

function outcome(promise: Promise<unknown>): Promise<ProviderError | undefined> {
  return promise.then(
    () => undefined,
    (error: unknown) => error as ProviderError,
  );
}

function openStream(signal = new AbortController().signal) {
  const exchange = new StreamExchange(CONTEXT, LIMITS, signal).start(silent, OPTIONS);
  const control = controller();
  exchange.onRequestStart(control);
  exchange.onResponseStart(control, 200, SSE);
  const write = (text: string): void => exchange.onResponseData(control, Buffer.from(text));
  return { exchange, control, write };
}

const contentOf = (result: IteratorResult<ChatChunk, undefined>): string | undefined => result.value?.data;

describe('exchanges', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  describe(Exchange.name, () => {
    it('gives up connecting in time, unbilled, and never writes the request afterwards', async () => {
      const exchange = new Exchange(CONTEXT, LIMITS, new AbortController().signal).start(silent, OPTIONS);
      jest.advanceTimersByTime(100);
      expect(await outcome(exchange.answer)).toMatchObject({ fault: 'connect', mayBeBilled: false });
      const control = controller();
      exchange.onRequestStart(control);
      expect(control.abort).toHaveBeenCalled();
    });

    it('counts the time to connect into the total', async () => {
      const exchange = new Exchange(CONTEXT, LIMITS, new AbortController().signal).start(silent, OPTIONS);
      jest.advanceTimersByTime(90);
      exchange.onRequestStart(controller());
      jest.advanceTimersByTime(909);
      const late = outcome(exchange.answer);
      jest.advanceTimersByTime(2);
      expect(await late).toMatchObject({ fault: 'overdue', failure: 'fallover', mayBeBilled: true });
    });

    it('leaves no timer and no listener behind', async () => {
      const signal = new AbortController().signal;
      const removed = jest.spyOn(signal, 'removeEventListener');
      const exchange = new Exchange(CONTEXT, LIMITS, signal).start(silent, OPTIONS);
      exchange.onRequestStart(controller());
      exchange.onResponseStart(controller(), 103, {});
      exchange.onResponseStart(controller(), 200, {});
      exchange.onResponseData(controller(), Buffer.from('{"a"'));
      exchange.onResponseData(controller(), Buffer.from(':1}'));
      exchange.onResponseEnd();
      expect(await exchange.answer).toMatchObject({ status: 200, body: Buffer.from('{"a":1}') });
      expect(jest.getTimerCount()).toBe(0);
      expect(removed).toHaveBeenCalled();
    });

    it.each([
      ['breaks', (exchange: Exchange) => exchange.onResponseError(controller(), new Error('reset'))],
      ['stalls', () => jest.advanceTimersByTime(1000)],
      ['never ends', (exchange: Exchange) => exchange.onResponseData(controller(), Buffer.alloc(70_000))],
    ])('knows an error status whose text %s', async (_name, happen) => {
      const exchange = new Exchange(CONTEXT, LIMITS, new AbortController().signal).start(silent, OPTIONS);
      exchange.onRequestStart(controller());
      exchange.onResponseStart(controller(), 503, {});
      happen(exchange);
      expect((await exchange.answer).status).toBe(503);
    });

    it('refuses an answer beyond 64 MiB for good', async () => {
      const exchange = new Exchange(CONTEXT, LIMITS, new AbortController().signal).start(silent, OPTIONS);
      const control = controller();
      exchange.onRequestStart(control);
      exchange.onResponseStart(control, 200, {});
      for (let sent = 0; sent <= 64; sent += 1) exchange.onResponseData(control, Buffer.alloc(1024 * 1024));
      expect(await outcome(exchange.answer)).toMatchObject({
        fault: 'too_large',
        failure: 'final',
        mayBeBilled: true,
      });
      expect(control.abort).toHaveBeenCalled();
    });
  });

  describe(StreamExchange.name, () => {
    it('pauses the socket for a slow consumer and resumes it when all is read', async () => {
      const { exchange, control, write } = openStream();
      const big = chunk({ content: 'x'.repeat(40_000) });
      write(big);
      expect(control.pause).not.toHaveBeenCalled();
      write(big);
      expect(control.pause).toHaveBeenCalledTimes(1);
      await exchange.next();
      expect(control.resume).not.toHaveBeenCalled();
      await exchange.next();
      expect(control.resume).toHaveBeenCalledTimes(1);
    });

    it('takes bytes that arrive while the socket is resumed', async () => {
      const { exchange, control, write } = openStream();
      const [first, second] = [chunk({ content: 'y'.repeat(70_000) }), chunk({ content: 'last' })];
      write(first.slice(0, -1));
      control.resume.mockImplementation(() => write(first.slice(-1) + second));
      expect(contentOf(await exchange.next())).toContain('yyy');
      expect(contentOf(await exchange.next())).toContain('last');
    });

    it('does not take a slow consumer for a stalled upstream', async () => {
      const { exchange, write } = openStream();
      write(chunk({ content: 'x'.repeat(70_000) }));
      jest.advanceTimersByTime(10_000);
      expect(contentOf(await exchange.next())).toContain('xxx');
      jest.advanceTimersByTime(299);
      write(chunk({ content: 'in time' }));
      expect(contentOf(await exchange.next())).toContain('in time');
      const stalled = outcome(exchange.next());
      jest.advanceTimersByTime(300);
      expect(await stalled).toMatchObject({ fault: 'timeout' });
    });

    it('delivers what had arrived before it tells of a stall', async () => {
      const { exchange, write } = openStream();
      write(chunk({ content: 'a' }));
      jest.advanceTimersByTime(300);
      expect(contentOf(await exchange.next())).toContain('"a"');
      expect(await outcome(exchange.next())).toMatchObject({ fault: 'timeout', mayBeBilled: true });
    });

    describe.each([
      ['comments', ': waiting\n\n'],
      ['broken lines', 'data: {"choices"\n\n'],
    ])('kept alive by %s', (_, noise) => {
      /** In steps shorter than the idle time. */
      const keepAlive = (write: (text: string) => void, forMs: number): void => {
        for (let passed = 0; passed < forMs; passed += 250) {
          write(noise);
          jest.advanceTimersByTime(250);
        }
      };

      it.each([
        ['before the first chunk', ''],
        ['after a chunk', chunk({ content: 'a' })],
      ])('ends, %s, when ten times the idle time brought no chunk', async (_name, before) => {
        const { exchange, control, write } = openStream();
        if (before) {
          write(before);
          await exchange.next();
        }
        const waiting = outcome(exchange.next());
        keepAlive(write, 2_750);
        expect(control.abort).not.toHaveBeenCalled();
        keepAlive(write, 500);
        expect(await waiting).toMatchObject({ fault: 'timeout', mayBeBilled: true });
        expect(control.abort).toHaveBeenCalledTimes(1);
        expect(jest.getTimerCount()).toBe(0);
      });

      it('counts anew from every chunk, and back in the idle time', async () => {
        const { exchange, control, write } = openStream();
        for (let round = 0; round < 3; round += 1) {
          const waiting = exchange.next();
          keepAlive(write, 2_750);
          write(chunk({ content: 'a' }));
          expect(contentOf(await waiting)).toContain('"a"');
        }
        jest.advanceTimersByTime(299);
        expect(control.abort).not.toHaveBeenCalled();
        jest.advanceTimersByTime(1);
        expect(control.abort).toHaveBeenCalled();
      });

      it('does not count while the consumer is slow', async () => {
        const { exchange, control, write } = openStream();
        write(chunk({ content: 'a' }));
        await exchange.next();
        keepAlive(write, 10_000);
        const waiting = exchange.next();
        keepAlive(write, 1_000);
        write(chunk({ content: 'b' }));
        expect(contentOf(await waiting)).toContain('"b"');
        expect(control.abort).not.toHaveBeenCalled();
      });
    });

    it('starts the idle time anew with every piece', async () => {
      const { exchange, write } = openStream();
      for (let round = 0; round < 5; round += 1) {
        write(chunk({ content: 'a' }));
        jest.advanceTimersByTime(299);
        expect((await exchange.next()).done).toBe(false);
      }
    });

    it('ends after [DONE] even when the connection breaks then', async () => {
      const { exchange, control, write } = openStream();
      write(chunk({}, 'stop') + DONE);
      exchange.onResponseError(control, new Error('reset'));
      expect((await exchange.next()).done).toBe(false);
      expect((await exchange.next()).done).toBe(true);
    });

    it('closes a socket that stays open after [DONE]', async () => {
      const { exchange, control, write } = openStream();
      write(chunk({}, 'stop') + DONE);
      await exchange.next();
      expect((await exchange.next()).done).toBe(true);
      expect(control.abort).not.toHaveBeenCalled();
      jest.advanceTimersByTime(1000);
      expect(control.abort).toHaveBeenCalled();
      expect(jest.getTimerCount()).toBe(0);
    });

    it('keeps the socket when the answer ends after [DONE]', async () => {
      const { exchange, control, write } = openStream();
      write(chunk({}, 'stop') + DONE);
      await exchange.next();
      await exchange.next();
      exchange.onResponseEnd();
      jest.advanceTimersByTime(60_000);
      expect(control.abort).not.toHaveBeenCalled();
    });

    it('tells the usage that was known when the stream broke', async () => {
      const { exchange, control, write } = openStream();
      write(`data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}\n\n`);
      await exchange.next();
      exchange.onResponseError(control, new Error('reset'));
      expect(await outcome(exchange.next())).toMatchObject({
        fault: 'cut',
        usage: { promptTokens: 3, completionTokens: 1 },
      });
    });

    it('tells of an abort at once, before chunks that wait', async () => {
      const aborter = new AbortController();
      const { exchange, control, write } = openStream(aborter.signal);
      write(chunk({ content: 'a' }));
      aborter.abort(new Error('gone'));
      expect(await outcome(exchange.next())).toMatchObject({ fault: 'aborted', mayBeBilled: true });
      expect(control.abort).toHaveBeenCalled();
    });

    it('releases a waiting consumer that leaves', async () => {
      const { exchange, control } = openStream();
      const waiting = exchange.next();
      await exchange.return();
      expect((await waiting).done).toBe(true);
      expect(control.abort).toHaveBeenCalled();
      expect(jest.getTimerCount()).toBe(0);
    });

    it('refuses an event without end', async () => {
      const { exchange, control, write } = openStream();
      write(`data: ${'x'.repeat(9 * 1024 * 1024)}`);
      write('x'.repeat(9 * 1024 * 1024));
      expect(await outcome(exchange.next())).toMatchObject({ fault: 'malformed' });
      expect(control.abort).toHaveBeenCalled();
    });
  });
});
