import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import { newId } from '../../../src/common/index';
import type { CompletionMeta } from '../../../src/execution/index';
import { SseResponse } from '../../../src/gateway/sse-response';
import { ClientGoneError, RequestState } from '../../../src/observability/index';

const PATIENCE_MS = 800;
const PIECE = 'x'.repeat(65_536);
/** More than the kernel takes for a client that does not read, and than `readSlowly` reads. */
const MANY = 768;
/** Enough for the kernel to take more: it does so in steps of a part of its buffer. */
const GULP_BYTES = 2_097_152;
const GULPS = 12;

const META: CompletionMeta = {
  requestId: newId(),
  decisionId: newId(),
  model: 'a-model',
  provider: 'openai',
  taskType: 'GENERAL',
  warnings: [],
  isSandbox: false,
};

interface Stream {
  readonly response: SseResponse;
  readonly raw: ServerResponse;
  readonly state: RequestState;
}

/** On real sockets, where what a client has taken is known to the kernel alone. */
describe(SseResponse.name, () => {
  let server: Server;
  let client: Socket;
  let taken: number;

  beforeEach(async () => {
    server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    taken = 0;
  });

  afterEach(async () => {
    client.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  async function open(): Promise<Stream> {
    client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.pause();
    client.on('data', (bytes: Buffer) => (taken += bytes.length));
    client.write('GET / HTTP/1.1\r\nhost: test\r\n\r\n');
    const [, raw] = (await once(server, 'request')) as [unknown, ServerResponse];
    const state = new RequestState();
    const reply = { raw, request: { lattice: state }, hijack: () => undefined, getHeaders: () => ({}) };
    const response = new SseResponse(reply as unknown as FastifyReply, state.controller.signal, PATIENCE_MS);
    response.open(META);
    return { response, raw, state };
  }

  function sendMany({ response }: Stream): Promise<void> | undefined {
    let waiting: Promise<void> | undefined;
    for (let piece = 0; piece < MANY; piece += 1) waiting = response.send(PIECE);
    return waiting;
  }

  /** Reads some of it now and then, for several times as long as anybody would wait for the whole. */
  async function readSlowly(): Promise<void> {
    for (let gulp = 1; gulp <= GULPS; gulp += 1) {
      client.resume();
      while (taken < gulp * GULP_BYTES) await once(client, 'data');
      client.pause();
      await delay(PATIENCE_MS / 4);
    }
    client.resume();
  }

  it.each([false, true])(
    'does not cut a client that reads steadily, however long it takes (already ended: %s)',
    async (isEnded) => {
      const stream = await open();
      const closed = once(stream.raw, 'close');
      const waiting = sendMany(stream);
      if (isEnded) stream.response.end('the end');
      await readSlowly();
      if (!isEnded) {
        await waiting;
        stream.response.end('the end');
      }
      await closed;
      expect([stream.raw.writableFinished, stream.state.controller.signal.aborted]).toEqual([true, false]);
      while (taken < MANY * PIECE.length) await once(client, 'data');
    },
    30_000,
  );

  it('takes the silence of an upstream for no fault of the client', async () => {
    const { response, raw } = await open();
    client.resume();
    void response.send('hello');
    await once(raw, 'timeout');
    expect(raw.destroyed).toBe(false);
    const closed = once(raw, 'close');
    response.end('the end');
    await closed;
    expect(raw.writableFinished).toBe(true);
  });

  it('cuts a client that takes nothing any more, also after a silence', async () => {
    const stream = await open();
    void stream.response.send('hello');
    await once(stream.raw, 'timeout');
    const waiting = sendMany(stream);
    expect(stream.raw.listenerCount('drain')).toBe(1);
    await waiting;
    expect(stream.raw.destroyed).toBe(true);
    expect(stream.state.controller.signal.reason).toBeInstanceOf(ClientGoneError);
  });
});
