import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Account, startApp, type TestApp } from '../support/app';

/** In every header of the upstream that could be a credential or name an account. */
const MARK = 'mark-of-the-upstream';
const CREDENTIAL_HEADERS: Readonly<Record<string, string | string[]>> = {
  authorization: `Bearer ${MARK}`,
  'proxy-authorization': `Basic ${MARK}`,
  'www-authenticate': `Bearer realm="${MARK}"`,
  'authentication-info': MARK,
  'api-key': MARK,
  'x-api-key': MARK,
  'x-goog-api-key': MARK,
  'x-amz-security-token': MARK,
  'set-cookie': [`session=${MARK}; Path=/`, `__cf_bm=${MARK}; Secure`],
  cookie: MARK,
  'openai-organization': MARK,
  'openai-project': MARK,
  'anthropic-organization-id': MARK,
  'x-ratelimit-limit-requests': MARK,
  'x-lattice-model': MARK,
  location: `https://example.com/${MARK}`,
  server: MARK,
};
const MODEL = 'openai/gpt-5.4-mini';
const MESSAGES = [{ role: 'user', content: 'Hello' }];

const answer = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-5.4-mini',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 8, completion_tokens: 1, total_tokens: 9 },
};
const chunk = {
  ...answer,
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
};

describe('what an upstream sends back', () => {
  let app: TestApp;
  let ada: Account;
  let server: Server;
  /** Of the next answers; undefined: hang up. */
  let status: number | undefined;

  beforeAll(async () => {
    server = createServer((request, response) => void respond(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    app = await startApp({ OPENAI_API_KEY: 'k', OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1` });
    ada = await app.register();
  });

  beforeEach(() => void (status = 200));

  afterAll(async () => {
    await app.close();
    await new Promise((resolve) => server.close(resolve));
  });

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const part of request) body += String(part);
    if (status === undefined) {
      request.socket.destroy();
      return;
    }
    const isStream = body.includes('"stream":true') && status === 200;
    response.writeHead(status, {
      ...CREDENTIAL_HEADERS,
      'content-type': isStream ? 'text/event-stream' : 'application/json',
    });
    if (isStream) response.end(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`);
    else if (status !== 200) response.end(JSON.stringify({ error: { message: `${MARK} says no` } }));
    else response.end(JSON.stringify(request.method === 'GET' ? { data: [{ id: 'm' }] } : answer));
  }

  const requests = [
    ['/v1/chat/completions', { messages: MESSAGES }],
    ['/v1/chat/completions', { messages: MESSAGES, stream: true }],
    ['/v1/messages', { messages: MESSAGES, max_tokens: 10 }],
    ['/v1/messages', { messages: MESSAGES, max_tokens: 10, stream: true }],
  ] as const;

  it.each(requests)('keeps its headers to us: %s %j', async (route, body) => {
    const got = await app.call('POST', route, {
      body: { model: MODEL, lattice: { fallback: 'none' }, ...body },
    });
    expect([got.status, got.text]).toEqual([200, expect.stringContaining('Hello')]);
    expect(JSON.stringify([...got.headers])).not.toContain(MARK);
    expect(got.headers.getSetCookie()).toEqual([]);
  });

  it.each([400, 401, 403, 404, 429, 500])('keeps them to us with an error of %i', async (code) => {
    status = code;
    for (const [route, body] of requests) {
      const got = await app.call('POST', route, {
        body: { model: MODEL, lattice: { fallback: 'none' }, ...body },
      });
      expect(got.status).toBeGreaterThanOrEqual(400);
      expect(JSON.stringify([...got.headers])).not.toContain(MARK);
    }
  });

  it.each([
    [200, 'ok'],
    [401, 'refused'],
    [403, 'refused'],
    [429, 'unreachable'],
    [500, 'unreachable'],
    [undefined, 'unreachable'],
  ])('makes a verification with status %s %s, without a word of it', async (code, result) => {
    status = code;
    const made = await app.call<{ id: string }>('POST', '/api/v1/credentials', {
      body: { provider: 'openai', apiKey: 'an-own-key-0123456789abc' },
      credential: ada.accessToken,
    });
    const got = await app.call('POST', `/api/v1/credentials/${made.body.id}/verify`, {
      credential: ada.accessToken,
    });
    expect(got).toMatchObject({ status: 200, body: { result } });
    expect(Object.keys(got.body)).toEqual(['result']);
    expect(got.text + JSON.stringify([...got.headers])).not.toContain(MARK);
    await app.call('DELETE', `/api/v1/credentials/${made.body.id}`, { credential: ada.accessToken });
  });
});
