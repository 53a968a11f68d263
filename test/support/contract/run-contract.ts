import { createServer, type Socket } from 'node:net';
import type { CatalogModel, ModelTimeouts } from '../../../src/catalog/index';
import type { ChatBody, JsonObject } from '../../../src/common/index';
import {
  type ChatCall,
  type ChatChunk,
  type ChatStream,
  type ProviderAdapter,
  ProviderError,
} from '../../../src/providers/index';
import {
  ANSWER_FAILURES,
  API_KEY,
  type ContractRow,
  FACTS,
  type GoldenName,
  MODEL_ID,
  PROMPT,
  REQUESTS,
  STREAM_FAILURES,
} from './adapter-cases';
import { freePort } from '../free-port';
import { listen } from '../listen';
import { PATIENT } from './catalog-model';
import { GoldenUpstream } from './golden-upstream';

const HURRIED_MS = 60;
/** Longer than a test may take. */
const NEVER_MS = 600_000;
/** The extension of a TLS greeting that lists the protocols (ALPN), with one in it. */
const ONLY_HTTP_1 = Buffer.from('\x00\x10\x00\x0b\x00\x09\x08http/1.1', 'latin1');

/** Declares the whole contract suite for one adapter. Call it at the top level of a contract spec. */
export function runContract(row: ContractRow): void {
  describe(row.name, () => {
    const upstream = new GoldenUpstream();
    const adapters: ProviderAdapter[] = [];

    /** Takes connections and never finishes a handshake. */
    const sockets: Socket[] = [];
    let greeted = Promise.withResolvers<Buffer>();
    const silent = createServer((socket) => {
      sockets.push(socket);
      socket.once('data', (bytes) => greeted.resolve(bytes));
    });
    let silentPort: number;

    beforeAll(async () => {
      await upstream.start();
      silentPort = await listen(silent);
    });
    afterAll(async () => {
      await upstream.stop();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => silent.close(resolve));
    });
    beforeEach(() => upstream.reset());
    afterEach(async () => {
      for (const adapter of adapters.splice(0)) await adapter.close?.();
    });

    const at = (baseUrl: string): ProviderAdapter => {
      const adapter = row.create(baseUrl);
      adapters.push(adapter);
      return adapter;
    };
    const golden = (name: GoldenName): ProviderAdapter => at(upstream.serve(name, row.goldens[name]));
    const call = (
      body: ChatBody = REQUESTS.text(),
      options: { timeouts?: Partial<ModelTimeouts>; signal?: AbortSignal; model?: CatalogModel } = {},
    ): ChatCall => ({
      model: { ...row.model, ...options.model, timeouts: { ...PATIENT, ...options.timeouts } },
      body,
      signal: options.signal ?? new AbortController().signal,
      requestId: 'req_0123456789abcdef0123456789abcdef',
    });
    const expectReceived = (name: GoldenName | 'toolResult' | 'image', isStream = false): void => {
      const [header, value] = row.credentialHeader;
      expect(upstream.last.method).toBe('POST');
      expect(upstream.last.path).toBe((isStream ? row.streamPath : undefined) ?? row.chatPath);
      expect(upstream.last.headers[header]).toBe(value);
      row.received?.[name]?.(upstream.last);
    };

    describe('chat', () => {
      it('returns the text, the usage, the finish reason, the model and the request id', async () => {
        const result = await golden('text').chat(call());
        expect(messageOf(result.body).content).toBe(FACTS.text);
        expect(result.report).toMatchObject({
          usage: FACTS.usage,
          finishReason: 'stop',
          modelServed: MODEL_ID,
          upstreamRequestId: FACTS.requestId,
        });
        expect(result.report.usage.reasoningTokens ?? 0).toBe(0);
        expect(result.report.rawUsage).toBeDefined();
        expect(upstream.received).toHaveLength(1);
        expectReceived('text');
      });

      it('returns parallel tool calls', async () => {
        const result = await golden('parallelTools').chat(call(REQUESTS.tools()));
        expect(toolCallsOf(result.body)).toEqual(FACTS.calls);
        expect(result.report.finishReason).toBe('tool_calls');
        expectReceived('parallelTools');
      });

      it('sends tool results back', async () => {
        const result = await golden('text').chat(call(REQUESTS.toolResult()));
        expect(messageOf(result.body).content).toBe(FACTS.text);
        expectReceived('toolResult');
      });

      it('sends an image', async () => {
        const result = await golden('text').chat(call(REQUESTS.image()));
        expect(messageOf(result.body).content).toBe(FACTS.text);
        expectReceived('image');
      });

      it('asks for an answer by JSON schema', async () => {
        const result = await golden('jsonSchema').chat(call(REQUESTS.jsonSchema()));
        expect(JSON.parse(messageOf(result.body).content as string)).toEqual(JSON.parse(FACTS.json));
        expectReceived('jsonSchema');
      });

      it('counts reasoning tokens inside the completion', async () => {
        const { usage } = (await golden('reasoningUsage').chat(call())).report;
        const { reasoningTokens, ...rest } = FACTS.reasoning;
        expect(usage).toMatchObject(rest);
        expect(usage.reasoningTokens).toBe(row.tells?.reasoning === false ? undefined : reasoningTokens);
      });

      it('counts cached tokens inside the prompt', async () => {
        const { usage } = (await golden('cachedUsage').chat(call())).report;
        expect(usage).toMatchObject(FACTS.cached);
      });
    });

    describe('chatStream', () => {
      it('delivers the text in pieces and reports at the end', async () => {
        const stream = await golden('stream').chatStream(call());
        const chunks = await drain(stream);
        expect(textOf(chunks)).toBe(FACTS.text);
        for (const { data, chunk } of chunks) expect(JSON.parse(data)).toEqual(chunk);
        expect(stream.report()).toMatchObject({
          usage: FACTS.usage,
          finishReason: 'stop',
          modelServed: MODEL_ID,
          upstreamRequestId: FACTS.requestId,
        });
        expect(stream.malformedLines()).toBe(0);
        expect(upstream.received).toHaveLength(1);
        expectReceived('stream', true);
      });

      it('delivers streamed tool calls', async () => {
        const stream = await golden('streamTools').chatStream(call(REQUESTS.tools()));
        expect(joinToolCalls(await drain(stream))).toEqual(FACTS.calls);
        expect(stream.report().finishReason).toBe('tool_calls');
        expectReceived('streamTools', true);
      });

      it('skips a malformed line and counts it', async () => {
        const stream = await golden('streamMalformedLine').chatStream(call());
        expect(textOf(await drain(stream))).toBe(FACTS.text);
        if (row.tells?.malformedLines !== false) expect(stream.malformedLines()).toBe(1);
      });

      it.each(STREAM_FAILURES)('ends $golden with the fault $fault after what had arrived', async (row_) => {
        const stream = await golden(row_.golden).chatStream(call());
        const { chunks, error } = await drainUntilError(stream);
        expect(textOf(chunks).length).toBeGreaterThan(0);
        expect(error).toMatchObject({ fault: row_.fault, mayBeBilled: row_.mayBeBilled });
      });

      it('ends an empty stream with an error', async () => {
        const error = await failure(async () => drain(await golden('streamEmpty').chatStream(call())));
        expect(['cut', 'malformed']).toContain(error.fault);
        expect(error.mayBeBilled).toBe(true);
      });

      it('ends a stalled stream by the idle timer and closes the socket', async () => {
        const timeouts = { idleMs: HURRIED_MS };
        const stream = await golden('streamStalls').chatStream(call(REQUESTS.text(), { timeouts }));
        const { chunks, error } = await drainUntilError(stream);
        expect(textOf(chunks).length).toBeGreaterThan(0);
        expect(error).toMatchObject({ fault: 'timeout', mayBeBilled: true });
        await upstream.clientClosed();
      });

      if (isEventStream(row)) {
        it.each(['streamStalls', 'streamNeverBegins'] as const)(
          'ends %s also while comments keep the connection alive',
          async (name) => {
            const steps = row.goldens[name].steps.filter((step) => step !== 'STALL');
            const endless = { text: ': waiting\n\n', everyMs: HURRIED_MS / 6 };
            const adapter = at(upstream.serve('keptAlive', { ...row.goldens[name], steps, endless }));
            const timeouts = { firstByteMs: HURRIED_MS, idleMs: HURRIED_MS };
            const error = await failure(async () =>
              drain(await adapter.chatStream(call(REQUESTS.text(), { timeouts }))),
            );
            expect(error).toMatchObject({ fault: 'timeout', mayBeBilled: true });
            await upstream.clientClosed();
          },
        );
      }

      it('gives up on a stream that never begins by the first-byte timer', async () => {
        const adapter = golden('streamNeverBegins');
        const timeouts = { firstByteMs: HURRIED_MS };
        const error = await failure(async () =>
          drain(await adapter.chatStream(call(REQUESTS.text(), { timeouts }))),
        );
        expect(error).toMatchObject({ fault: 'timeout', failure: 'retry', mayBeBilled: true });
        await upstream.clientClosed();
      });

      it('closes the socket when the consumer leaves', async () => {
        const stream = await golden('streamStalls').chatStream(call());
        for await (const { chunk } of stream.chunks) {
          if (deltaOf(chunk)) break;
        }
        await upstream.clientClosed();
      });

      it('ends with the fault aborted and closes the socket when the signal fires', async () => {
        const controller = new AbortController();
        const stream = await golden('streamStalls').chatStream(
          call(REQUESTS.text(), { signal: controller.signal }),
        );
        const error = await failure(async () => {
          for await (const { chunk } of stream.chunks) {
            if (deltaOf(chunk)) controller.abort(new Error('gone'));
          }
        });
        expect(error).toMatchObject({ fault: 'aborted', failure: 'final', mayBeBilled: true });
        await upstream.clientClosed();
      });
    });

    describe.each([
      ['chat', (adapter: ProviderAdapter, request: ChatCall) => adapter.chat(request)],
      [
        'chatStream',
        async (adapter: ProviderAdapter, request: ChatCall) => drain(await adapter.chatStream(request)),
      ],
    ] as const)('%s failures', (_method, run) => {
      it.each(ANSWER_FAILURES)('maps $golden to the fault $fault', async (expected) => {
        const error = await failure(() => run(golden(expected.golden), call()));
        expect(error).toMatchObject({
          provider: row.model.provider,
          fault: expected.fault,
          mayBeBilled: expected.mayBeBilled,
        });
        if (expected.status) expect(error.upstreamStatus).toBe(expected.status);
        expect(error.retryAfterMs).toBe(expected.golden === 'rateLimited' ? 7000 : undefined);
        expect(upstream.received).toHaveLength(1);
      });

      it('reads no more than it needs of a long error text', async () => {
        const { steps, ...answer } = row.goldens.serverError;
        const longer = { ...answer, steps: [...steps, ' '.repeat(64 * 1024), 'STALL'] };
        const timeouts = { firstByteMs: NEVER_MS, idleMs: NEVER_MS, totalMs: NEVER_MS };
        const request = call(REQUESTS.text(), { timeouts });
        const error = await failure(() => run(at(upstream.serve('longError', longer)), request));
        expect(error).toMatchObject({ fault: 'overloaded', mayBeBilled: false });
        await upstream.clientClosed();
      });

      it.each(['badRequest', 'unauthorized'] as const)('says nothing secret about %s', async (name) => {
        const error = await failure(() => run(golden(name), call()));
        expect(error.message).not.toContain(API_KEY);
        expect(error.message).not.toContain(PROMPT);
        expect(error.message.length).toBeLessThanOrEqual(600);
      });

      it('never bills a refused connection', async () => {
        const error = await failure(async () => run(at(await closedPort()), call()));
        expect(error).toMatchObject({ fault: 'connect', failure: 'retry', mayBeBilled: false });
      });

      it('gives up by the connect timer on a server that never finishes its handshake', async () => {
        const timeouts = { connectMs: HURRIED_MS };
        const adapter = at(`https://127.0.0.1:${silentPort}`);
        const error = await failure(async () => run(adapter, call(REQUESTS.text(), { timeouts })));
        expect(error).toMatchObject({ fault: 'connect', failure: 'retry', mayBeBilled: false });
      });

      it('sends nothing when the signal had fired before', async () => {
        const signal = AbortSignal.abort(new Error('gone'));
        const error = await failure(() => run(golden('text'), call(REQUESTS.text(), { signal })));
        expect(error).toMatchObject({ fault: 'aborted', mayBeBilled: false });
        expect(upstream.received).toHaveLength(0);
      });

      it('ends with the fault aborted when the signal fires while the answer is due', async () => {
        const controller = new AbortController();
        const running = failure(() =>
          run(golden('neverAnswers'), call(REQUESTS.text(), { signal: controller.signal })),
        );
        await upstream.arrival();
        controller.abort(new Error('gone'));
        expect(await running).toMatchObject({ fault: 'aborted', mayBeBilled: true });
        await upstream.clientClosed();
      });
    });

    it('gives up on an answer that is too large to be read, and closes the socket', async () => {
      const larger = { ...row.goldens.text, endless: { text: ' '.repeat(1024 * 1024) } };
      const error = await failure(() => at(upstream.serve('large', larger)).chat(call()));
      expect(error).toMatchObject({ fault: 'too_large', mayBeBilled: true });
      await upstream.clientClosed();
    });

    it('gives up on an answer by the total timer and closes the socket', async () => {
      const timeouts = { totalMs: HURRIED_MS };
      const error = await failure(() => golden('neverAnswers').chat(call(REQUESTS.text(), { timeouts })));
      expect(error).toMatchObject({ fault: 'overdue', failure: 'fallover', mayBeBilled: true });
      await upstream.clientClosed();
    });

    it('offers no other protocol than HTTP/1.1', async () => {
      greeted = Promise.withResolvers<Buffer>();
      const caller = new AbortController();
      const adapter = at(`https://127.0.0.1:${silentPort}`);
      const running = failure(() => adapter.chat(call(REQUESTS.text(), { signal: caller.signal })));
      const hello = await greeted.promise;
      caller.abort(new Error('gone'));
      await running;
      expect(hello.includes(ONLY_HTTP_1)).toBe(true);
    });

    it('uses its sockets again for calls that follow each other', async () => {
      const adapter = golden('stream');
      for (let round = 0; round < 8; round += 1) await drain(await adapter.chatStream(call()));
      // The consumer sees the end a moment before the socket does, so two may take turns.
      expect(upstream.sockets.size).toBeLessThanOrEqual(2);
    });

    if (row.mockPath !== undefined) {
      describe('against aimock', () => {
        const mocked = (): ProviderAdapter => at(`${upstream.url}${row.mockPath}`);
        beforeEach(() => {
          upstream.mock.clearFixtures();
          upstream.mock.onMessage(PROMPT, { content: FACTS.text });
        });

        it('answers', async () => {
          const result = await mocked().chat(call());
          expect(messageOf(result.body).content).toBe(FACTS.text);
          expect(result.report.finishReason).toBe('stop');
        });

        it('streams', async () => {
          const stream = await mocked().chatStream(call());
          expect(textOf(await drain(stream))).toBe(FACTS.text);
          expect(stream.report().finishReason).toBe('stop');
        });

        it('calls tools', async () => {
          upstream.mock.prependFixture({
            match: { userMessage: PROMPT },
            response: {
              toolCalls: FACTS.calls.map((tool) => ({ ...tool, arguments: JSON.stringify(tool.arguments) })),
            },
          });
          const stream = await mocked().chatStream(call(REQUESTS.tools()));
          expect(joinToolCalls(await drain(stream)).map((tool) => tool.arguments)).toEqual(
            FACTS.calls.map((tool) => tool.arguments),
          );
        });

        it('maps a 429', async () => {
          upstream.mock.nextRequestError(429, { message: 'Slow down', type: 'rate_limit_error' });
          expect(await failure(() => mocked().chat(call()))).toMatchObject({ fault: 'rate_limited' });
        });
      });
    }
  });
}

/** Other framings know no comments. */
function isEventStream({ goldens }: ContractRow): boolean {
  return goldens.stream.headers?.['content-type']?.includes('text/event-stream') === true;
}

async function failure(run: () => Promise<unknown>): Promise<ProviderError> {
  const outcome = await run().then(
    () => new Error('It did not fail'),
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(ProviderError);
  return outcome as ProviderError;
}

export async function drain(stream: ChatStream): Promise<ChatChunk[]> {
  const chunks: ChatChunk[] = [];
  for await (const chunk of stream.chunks) chunks.push(chunk);
  return chunks;
}

async function drainUntilError(stream: ChatStream): Promise<{ chunks: ChatChunk[]; error: ProviderError }> {
  const chunks: ChatChunk[] = [];
  const error = await failure(async () => {
    for await (const chunk of stream.chunks) chunks.push(chunk);
  });
  return { chunks, error };
}

async function closedPort(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}`;
}

interface Choice {
  readonly message?: JsonObject;
  readonly delta?: JsonObject;
}

function firstChoice(body: JsonObject): Choice | undefined {
  return (body.choices as readonly Choice[] | undefined)?.[0];
}

function messageOf(body: JsonObject): JsonObject {
  return firstChoice(body)?.message ?? {};
}

export function deltaOf(chunk: JsonObject): string {
  const content = firstChoice(chunk)?.delta?.content;
  return typeof content === 'string' ? content : '';
}

function textOf(chunks: readonly ChatChunk[]): string {
  return chunks.map(({ chunk }) => deltaOf(chunk)).join('');
}

interface ToolCallPart {
  readonly index?: number;
  readonly id?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string };
}

function parsed(parts: readonly { id: string; name: string; text: string }[]): unknown[] {
  return parts.map((part) => ({
    id: part.id,
    name: part.name,
    arguments: JSON.parse(part.text) as unknown,
  }));
}

function toolCallsOf(body: JsonObject): unknown[] {
  const calls = messageOf(body).tool_calls as readonly ToolCallPart[];
  return parsed(
    calls.map((part) => ({
      id: part.id ?? '',
      name: part.function?.name ?? '',
      text: part.function?.arguments ?? '',
    })),
  );
}

/** Joins streamed tool calls the way a client does. */
function joinToolCalls(chunks: readonly ChatChunk[]): { arguments: unknown }[] {
  const joined: { id: string; name: string; text: string }[] = [];
  for (const { chunk } of chunks) {
    const parts = (firstChoice(chunk)?.delta?.tool_calls ?? []) as readonly ToolCallPart[];
    for (const part of parts) {
      const known = (joined[part.index ?? 0] ??= { id: '', name: '', text: '' });
      known.id ||= part.id ?? '';
      known.name ||= part.function?.name ?? '';
      known.text += part.function?.arguments ?? '';
    }
  }
  return parsed(joined) as { arguments: unknown }[];
}
