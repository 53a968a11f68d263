import OpenAI from 'openai';
import { startApp, type TestApp } from '../support/app';

const HELLO = [{ role: 'user' as const, content: 'Hello there' }];

describe('bad input', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ BODY_LIMIT_BYTES: '4096', MAX_MESSAGES: '3', LATTICE_SANDBOX: 'on' });
  });

  afterAll(() => app.close());

  const raw = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${app.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${app.admin.key}`, 'content-type': 'application/json', ...headers },
      body,
    });

  it.each<[string, string, Record<string, string>, number, string]>([
    ['malformed JSON', '{"model": ', {}, 400, 'MALFORMED_JSON'],
    ['an empty body', '', {}, 400, 'VALIDATION_FAILED'],
    ['prototype poisoning', '{"__proto__": {"role": "admin"}}', {}, 400, 'MALFORMED_JSON'],
    [
      'a form',
      'model=auto',
      { 'content-type': 'application/x-www-form-urlencoded' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    ['plain text', 'hello', { 'content-type': 'text/plain' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['an oversize body', JSON.stringify({ pad: 'x'.repeat(5000) }), {}, 413, 'PAYLOAD_TOO_LARGE'],
  ])('answers %s with %s', async (_, body, headers, status, code) => {
    const response = await raw(body, headers);
    const answer = (await response.json()) as { error: Record<string, unknown> };
    expect([response.status, answer.error.code]).toEqual([status, code]);
    expect(answer.error.requestId).toMatch(/^req_/);
    expect(JSON.stringify(answer)).not.toMatch(/\bat .*\.(ts|js):\d+/);
  });

  it.each<[object, string]>([
    [{}, 'model'],
    [{ model: 'auto' }, 'messages'],
    [{ model: 'auto', messages: [1] }, 'messages[0]'],
    [{ model: 'auto', messages: HELLO, temperature: 9 }, 'temperature'],
    [{ model: 'auto', messages: [...HELLO, ...HELLO, ...HELLO, ...HELLO] }, 'messages'],
    [{ model: 'auto', messages: HELLO, lattice: { taskType: 'COOKING' } }, 'x-lattice-task-type'],
  ])('names the field of %j: %s', async (body, param) => {
    const answer = await app.call('POST', '/v1/chat/completions', { body });
    expect([answer.status, answer.body.error]).toEqual([400, expect.objectContaining({ param })]);
  });

  it.each<[string, object]>([
    ['null for tool calls', { messages: [{ role: 'assistant', content: 'x', tool_calls: null }, ...HELLO] }],
    [
      'U+0000 in a call id',
      {
        messages: [
          {
            role: 'assistant',
            tool_calls: [{ id: 'a\u0000', type: 'function', function: { name: 'f', arguments: '' } }],
          },
          ...HELLO,
        ],
        lattice: { tools: ['current_time'] },
      },
    ],
  ])('takes %s as clients send it', async (_, more) => {
    expect(
      (await app.call('POST', '/v1/chat/completions', { body: { model: 'sandbox/small', ...more } })).status,
    ).toBe(200);
  });

  it('refuses an image whose URL is a number', async () => {
    const messages = [{ role: 'user', content: [{ type: 'input_image', image_url: 5 }] }];
    expect(
      (await app.call('POST', '/v1/chat/completions', { body: { model: 'auto', messages } })).status,
    ).toBe(400);
  });

  it('does not echo long texts of the caller', async () => {
    const lattice = { ['x'.repeat(3000)]: 1 };
    const answer = await app.call('POST', '/v1/chat/completions', {
      body: { model: 'auto', messages: HELLO, lattice },
    });
    expect([answer.status, answer.text.length < 1000]).toEqual([400, true]);
  });

  it('answers a malformed URL in the same shape', async () => {
    const answer = await app.call('GET', '/v1/models/%zz');
    expect([answer.status, answer.body.error]).toEqual([
      400,
      expect.objectContaining({ requestId: expect.stringMatching(/^req_/) }),
    ]);
  });

  it('answers an unknown model with 404 and the nearest known ids', async () => {
    const failure = await app.openai.chat.completions
      .create({ model: 'gpt-4o-minni', messages: HELLO })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(OpenAI.NotFoundError);
    expect(failure).toMatchObject({
      status: 404,
      code: 'model_not_found',
      message: expect.stringContaining('gpt-4o-mini'),
    });
  });

  it('answers a model whose provider has no key with 501 and the variable to set', async () => {
    const answer = await app.call('POST', '/v1/chat/completions', {
      body: { model: 'anthropic/claude-haiku-4-5', messages: HELLO },
    });
    expect([answer.status, answer.body.error]).toEqual([
      501,
      expect.objectContaining({
        code: 'REQUIRES_IMPLEMENTATION',
        message: expect.stringContaining('ANTHROPIC_API_KEY'),
      }),
    ]);
  });

  it.each([
    ['no credential', null, {}],
    ['an unknown key', 'llk_0000000000000000000000000000000000000000000', {}],
    ['a broken token', 'eyJhbGciOiJub25lIn0.e30.', {}],
    ['a basic credential', null, { authorization: 'Basic YTpi' }],
  ])('answers %s with 401 and how to authenticate', async (_, credential, headers) => {
    const answer = await app.call('POST', '/v1/chat/completions', {
      body: { model: 'auto', messages: HELLO },
      credential,
      headers,
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('raises OpenAI’s AuthenticationError for a wrong key', async () => {
    const client = new OpenAI({ baseURL: `${app.url}/v1`, apiKey: 'llk_wrong', maxRetries: 0 });
    await expect(client.chat.completions.create({ model: 'auto', messages: HELLO })).rejects.toBeInstanceOf(
      OpenAI.AuthenticationError,
    );
  });

  it('refuses a revoked key on the next request', async () => {
    const account = await app.register();
    const body = { model: 'auto', messages: HELLO };
    expect((await app.call('POST', '/v1/chat/completions', { body, credential: account.key })).status).toBe(
      200,
    );
    expect(
      (await app.call('DELETE', `/api/v1/keys/${account.keyId}`, { credential: account.accessToken })).status,
    ).toBeLessThan(300);
    expect((await app.call('POST', '/v1/chat/completions', { body, credential: account.key })).status).toBe(
      401,
    );
  });

  it.each<[string, string, object | undefined, string]>([
    ['GET', '/api/v1/audit?resourceId=%00', undefined, 'resourceId'],
    ['GET', '/api/v1/users?email=a%00', undefined, 'email'],
    [
      'POST',
      '/api/v1/webhooks',
      { url: 'https://example.com/', events: ['*'], description: 'a\0b' },
      'description',
    ],
    [
      'POST',
      '/api/v1/webhooks',
      { url: 'https://example.com/', events: ['*'], description: '\ud800' },
      'description',
    ],
    ['POST', '/api/v1/webhooks', { url: 'https://example.com/', events: ['*', '\0'] }, 'events.1'],
    ['POST', '/api/v1/keys', { name: 'a\0' }, 'name'],
    ['POST', '/api/v1/keys', { name: 'a', 'b\0': 1 }, 'body'],
  ])('refuses text that cannot be stored: %s %s %j', async (method, path, body, param) => {
    const answer = await app.call(method, path, { body, credential: app.admin.accessToken });
    expect([answer.status, answer.body.error]).toEqual([
      400,
      expect.objectContaining({ code: 'VALIDATION_FAILED', param }),
    ]);
  });

  it('takes any text in prompts', async () => {
    const messages = [{ role: 'user', content: 'a\0b \ud800' }];
    const answer = await app.call('POST', '/v1/chat/completions', {
      body: { model: 'sandbox/small', messages, user: 'a\0' },
    });
    expect(answer.status).toBe(200);
  });

  it('refuses unknown fields of our own bodies by name', async () => {
    const body = { email: 'x@example.com', password: 'long enough', name: 'X', role: 'admin' };
    const answer = await app.call('POST', '/api/v1/auth/register', { body, credential: null });
    expect([answer.status, answer.body.error]).toEqual([
      400,
      expect.objectContaining({ message: expect.stringContaining('role') }),
    ]);
  });

  it('answers a route that does not exist with 404 in the same shape', async () => {
    const answer = await app.call('GET', '/v1/nowhere');
    expect([answer.status, answer.body.error]).toEqual([404, expect.objectContaining({ code: 'NOT_FOUND' })]);
  });
});
