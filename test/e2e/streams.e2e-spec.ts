import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startApp, type TestApp } from '../support/app';
import * as anthropic from '../support/contract/anthropic.goldens';
import { eventually } from '../support/eventually';
import { listen } from '../support/listen';
import { parseSse } from '../support/sse';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const MODEL = 'openai/gpt-4o-mini';
const STREAMS = 128;
const DELTAS = 64;
const GAP_MS = 20;

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[];
}

const textOf = (event: string): string =>
  (JSON.parse(event) as Chunk).choices.map(({ delta }) => delta.content ?? '').join('');

describe('many streams at once', () => {
  let truth: TruthProvider;
  let app: TestApp;

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({ OPENAI_BASE_URL: truth.url });
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
  });

  it(`brings every one of ${DELTAS} deltas of ${STREAMS} streams, in order, and books each stream`, async () => {
    const words = Array.from({ length: DELTAS }, (_, index) => `word${index} `);
    await truth.script({ name: 'flow', answer: words.join('').trim(), chunks: DELTAS, chunkDelayMs: GAP_MS });
    const texts = await Promise.all(
      Array.from({ length: STREAMS }, async () => {
        const response = await fetch(`${app.url}/v1/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${app.admin.key}`, 'content-type': 'application/json' },
          body: JSON.stringify({
            model: MODEL,
            stream: true,
            messages: [{ role: 'user', content: '[[script:flow]]' }],
          }),
        });
        return await response.text();
      }),
    );
    const seen = texts.map((text) => {
      const events = parseSse(text);
      const pieces = events.slice(0, -1).map(textOf).filter(Boolean);
      return { pieces: pieces.length, text: pieces.join(''), end: events.at(-1) };
    });
    expect(new Set(seen.map((stream) => JSON.stringify(stream)))).toEqual(
      new Set([JSON.stringify({ pieces: DELTAS, text: words.join('').trim(), end: '[DONE]' })]),
    );
    const attempts = await truth.endedAttempts(STREAMS);
    const [{ lines, tokens }] = await app.database.query<[{ lines: number; tokens: number }]>(
      'select count(*)::int as lines, sum(completion_tokens)::int as tokens from usage_lines',
    );
    expect([lines, tokens]).toEqual([
      STREAMS,
      attempts.reduce((sum, { completionTokens }) => sum + completionTokens, 0),
    ]);
    expect(await app.reconcile()).toEqual([]);
  });
});

/** More than all buffers on the way together: both kernels' sockets and Node's own. */
const FRAMES = 4096;
const FRAME_BYTES = 16_384;
const BUFFERED_AT_MOST = 24 * 1024 * 1024;

/** The events of one long answer in a provider's dialect. */
interface Dialect {
  readonly opening: readonly string[];
  readonly frame: (content: string) => string;
  readonly closing: readonly string[];
}

/** Sends its frames as fast as they are taken, no faster. */
class EagerUpstream {
  sentBytes = 0;

  constructor(private readonly dialect: Dialect) {}

  private readonly server = http.createServer((request, response) => {
    request.resume().on('end', () => void this.answer(response));
  });

  async start(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(response: http.ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const { opening, frame, closing } = this.dialect;
    const data = frame('x'.repeat(FRAME_BYTES));
    response.write(opening.join(''));
    for (let sent = 0; sent < FRAMES; sent++) {
      this.sentBytes += data.length;
      if (!response.write(data)) await once(response, 'drain');
    }
    response.end(closing.join(''));
  }
}

const chunk = (choices: readonly object[], more: object = {}): string =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-eager',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'gpt-4o-mini',
    choices,
    ...more,
  })}\n\n`;
const delta = (content: string, more: object = {}): string =>
  chunk([{ index: 0, delta: { content }, finish_reason: null }], more);
const closing = (tokens: number): readonly string[] => [
  chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]),
  chunk([], { usage: { prompt_tokens: 1, completion_tokens: tokens, total_tokens: tokens + 1 } }),
  'data: [DONE]\n\n',
];

const OPENAI: Dialect = { opening: [], frame: delta, closing: closing(FRAMES) };
const [blockStart = '', blockStop = ''] = anthropic.block(0, { type: 'text', text: '' });
const ANTHROPIC: Dialect = {
  opening: [anthropic.start(), blockStart],
  frame: (text) =>
    anthropic.event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
  closing: [blockStop, ...anthropic.end('end_turn', { output_tokens: FRAMES })],
};

describe.each([
  [MODEL, OPENAI],
  ['anthropic/claude-haiku-4-5', ANTHROPIC],
])('a client that does not read the answer of %s', (model, dialect) => {
  const upstream = new EagerUpstream(dialect);
  let app: TestApp;

  beforeAll(async () => {
    const url = await upstream.start();
    app = await startApp({ OPENAI_BASE_URL: url, ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'k' });
  });

  afterAll(async () => {
    await app.close();
    await upstream.stop();
  });

  it('holds the upstream back, and gets every frame once it reads', async () => {
    const request = http.request(`${app.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${app.admin.key}`, 'content-type': 'application/json' },
    });
    request.end(JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'Go' }] }));
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.pause();
    await standsStill(() => upstream.sentBytes);
    expect(upstream.sentBytes).toBeLessThan(BUFFERED_AT_MOST);

    let frames = 0;
    let tail = '';
    for await (const part of response) {
      const text = tail + String(part);
      const events = text.split('\n\n');
      tail = events.pop() ?? '';
      frames += events.filter((event) => event.includes('xxxxxxxx')).length;
      if (events.includes('data: [DONE]')) tail = 'done';
    }
    expect([frames, tail]).toEqual([FRAMES, 'done']);
    expect(await app.reconcile()).toEqual([]);
  });
});

/** Resolves once the figure has not moved for half a second. */
async function standsStill(read: () => number): Promise<void> {
  for (let before = -1; before !== read(); await delay(500)) before = read();
}

/** Of every event, beside its text: what passes through is far more than what is kept of an answer. */
const PADDING = { system_fingerprint: 'x'.repeat(8192) };
const EARLY_FRAMES = 4;
const LATE_FRAMES = 64;

/** Streams that stop twice on their way: after their first frames and before their end. */
class HaltingUpstream {
  readonly halts = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  private readonly server = http.createServer((request, response) => {
    request.resume().on('end', () => void this.answer(response));
  });

  async start(): Promise<string> {
    return `http://127.0.0.1:${await listen(this.server)}/v1`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(response: http.ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const [part, frames] of [EARLY_FRAMES, LATE_FRAMES].entries()) {
      for (let sent = 0; sent < frames; sent++) {
        if (!response.write(delta('word ', PADDING))) await once(response, 'drain');
      }
      await this.halts[part]?.promise;
    }
    response.end(closing(EARLY_FRAMES + LATE_FRAMES).join(''));
  }
}

/** Reads what comes and keeps nothing of it but the number of events and the last bytes. */
class ForgetfulReader {
  events = 0;
  tail = '';

  async read(response: Response): Promise<void> {
    for await (const bytes of response.body ?? []) {
      for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1))
        this.events += 1 / LINES_PER_EVENT;
      this.tail = Buffer.from(bytes.subarray(-32)).toString();
    }
  }
}

const PATIENCE_MS = 25_000;
const LINE_FEED = 10;
const LINES_PER_EVENT = 2;

/** Bytes in use in and beside the heap of this process, in which the service runs. */
async function usedBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round++) {
    collect();
    await setImmediate();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('the memory of many streams at once', () => {
  const upstream = new HaltingUpstream();
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ OPENAI_BASE_URL: await upstream.start() });
  });

  afterAll(async () => {
    await app.close();
    await upstream.stop();
  });

  it('does not grow with what has passed through them', async () => {
    const readers = Array.from({ length: STREAMS }, () => new ForgetfulReader());
    const reading = readers.map(async (reader) => {
      const response = await fetch(`${app.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${app.admin.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: MODEL, stream: true, messages: [{ role: 'user', content: 'Go' }] }),
      });
      await reader.read(response);
    });
    const arrived = (events: number) =>
      eventually(
        () => Promise.resolve(readers.every((reader) => reader.events === events) || undefined),
        PATIENCE_MS,
      );

    await arrived(EARLY_FRAMES);
    const before = await usedBytes();
    upstream.halts[0]?.resolve();
    await arrived(EARLY_FRAMES + LATE_FRAMES);
    const growth = (await usedBytes()) - before;
    upstream.halts[1]?.resolve();
    await Promise.all(reading);

    const passed = STREAMS * LATE_FRAMES * PADDING.system_fingerprint.length;
    expect(growth).toBeLessThan(passed / 2);
    expect(readers.filter(({ tail }) => !tail.endsWith('data: [DONE]\n\n'))).toEqual([]);
    expect(await app.reconcile()).toEqual([]);
  });
});
