import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { startApp, type TestApp } from '../support/app';
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

/** Sends its frames as fast as they are taken, no faster. */
class EagerUpstream {
  sentBytes = 0;
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
    const content = 'x'.repeat(FRAME_BYTES);
    for (let frame = 0; frame < FRAMES; frame++) {
      const data = `data: ${JSON.stringify(chunk([{ index: 0, delta: { content }, finish_reason: null }]))}\n\n`;
      this.sentBytes += data.length;
      if (!response.write(data)) await once(response, 'drain');
    }
    const usage = { prompt_tokens: 1, completion_tokens: FRAMES, total_tokens: FRAMES + 1 };
    response.write(`data: ${JSON.stringify(chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]))}\n\n`);
    response.end(`data: ${JSON.stringify({ ...chunk([]), usage })}\n\ndata: [DONE]\n\n`);
  }
}

const chunk = (choices: readonly object[]): object => ({
  id: 'chatcmpl-eager',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'gpt-4o-mini',
  choices,
});

describe('a client that does not read', () => {
  const upstream = new EagerUpstream();
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ OPENAI_BASE_URL: await upstream.start() });
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
    request.end(JSON.stringify({ model: MODEL, stream: true, messages: [{ role: 'user', content: 'Go' }] }));
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
