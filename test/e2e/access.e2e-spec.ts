import OpenAI from 'openai';
import { AppLogger } from '../../src/observability/index';
import { type Account, startApp, type TestApp } from '../support/app';

const CHAT = '/v1/chat/completions';
const HELLO = [{ role: 'user', content: 'Hello' }] as const;

interface OpenApi {
  readonly paths: Record<string, Record<string, { 'x-lattice-class'?: string }>>;
}

describe('access', () => {
  let app: TestApp;
  let user: Account;

  beforeAll(async () => {
    app = await startApp();
    user = await app.register();
  });

  afterAll(() => app.close());

  async function keyWith(body: object): Promise<string> {
    const made = await app.call<{ key: string }>('POST', '/api/v1/keys', {
      body: { name: 'k', ...body },
      credential: user.accessToken,
    });
    expect(made.status).toBe(201);
    return made.body.key;
  }

  const chat = (credential: string, body: object) =>
    app.call<{ model: string; error: object }>('POST', CHAT, {
      body: { messages: HELLO, ...body },
      credential,
    });

  describe('scopes', () => {
    it('let an inference key call models and nothing else', async () => {
      const credential = await keyWith({ scopes: ['inference'] });
      expect((await chat(credential, { model: 'sandbox/small' })).status).toBe(200);
      expect((await app.call('GET', '/v1/models', { credential })).status).toBe(200);
      for (const route of ['/api/v1/usage?groupBy=day', '/api/v1/keys', '/api/v1/auth/me']) {
        const answer = await app.call('GET', route, { credential });
        expect(answer).toMatchObject({ status: 403, body: { error: { code: 'KEY_SCOPE_MISSING' } } });
      }
    });

    it('raise OpenAI’s own error class when inference is missing', async () => {
      const apiKey = await keyWith({ scopes: ['usage:read'] });
      const openai = new OpenAI({ baseURL: `${app.url}/v1`, apiKey, maxRetries: 0 });
      const call = openai.chat.completions.create({ model: 'sandbox/small', messages: [...HELLO] });
      await expect(call).rejects.toThrow(OpenAI.PermissionDeniedError);
      await expect(call).rejects.toMatchObject({ code: 'KEY_SCOPE_MISSING' });
    });
  });

  describe('allowed models', () => {
    it('are all that a key is routed to, sees and may name', async () => {
      const credential = await keyWith({ allowedModels: ['sandbox/small'] });
      const routed = await chat(credential, { model: 'auto:best' });
      expect(routed.headers.get('x-lattice-model')).toBe('sandbox/small');
      const pinned = await chat(credential, { model: 'sandbox/large', lattice: { fallback: 'any' } });
      const refused = { code: 'MODEL_NOT_ALLOWED', type: 'permission_error', param: 'model' };
      expect(pinned).toMatchObject({ status: 403, body: { error: refused } });
      const streamed = await chat(credential, { model: 'sandbox/large', stream: true });
      expect(streamed).toMatchObject({ status: 403, body: { error: refused } });
      const listed = await app.call<{ data: { id: string }[] }>('GET', '/v1/models', { credential });
      const ids = listed.body.data.map(({ id }) => id).filter((id) => !id.startsWith('auto'));
      expect(ids).toEqual(['sandbox/small']);
      expect((await app.call('GET', '/v1/models/sandbox/large', { credential })).status).toBe(404);
    });

    it('show in the explanation why the others are out', async () => {
      const credential = await keyWith({ allowedModels: ['sandbox/small'] });
      const shown = await app.call<{ model: string; fallbacks: string[]; filtered: object[] }>(
        'POST',
        '/api/v1/route',
        { body: { model: 'auto', messages: HELLO }, credential },
      );
      expect(shown.body).toMatchObject({ model: 'sandbox/small', fallbacks: [] });
      expect(shown.body.filtered).toContainEqual({
        model: 'sandbox/large',
        reason: 'not_allowed',
        detail: 'The API key may not use it',
      });
    });

    it('hold for the next request after a change', async () => {
      const made = await app.call<{ id: string; key: string }>('POST', '/api/v1/keys', {
        body: { name: 'k' },
        credential: user.accessToken,
      });
      const { id, key } = made.body;
      expect((await chat(key, { model: 'sandbox/large' })).status).toBe(200);
      await app.call('PATCH', `/api/v1/keys/${id}`, {
        body: { allowedModels: ['sandbox/small'] },
        credential: user.accessToken,
      });
      expect((await chat(key, { model: 'sandbox/large' })).status).toBe(403);
    });
  });

  it('keeps decisions from others: foreign looks like missing, administrators see all', async () => {
    const answered = await chat(user.key, { model: 'sandbox/small' });
    const id = answered.headers.get('x-lattice-decision-id') ?? '';
    const other = await app.register();
    const ask = async (credential: string, asked: string) => {
      const { status, body } = await app.call<{ error?: object }>('GET', `/api/v1/decisions/${asked}`, {
        credential,
      });
      return { status, error: { ...body.error, requestId: undefined } };
    };
    expect((await ask(user.key, id)).status).toBe(200);
    expect((await ask(app.admin.key, id)).status).toBe(200);
    const foreign = await ask(other.key, id);
    expect(foreign).toMatchObject({ status: 404, error: { code: 'NOT_FOUND' } });
    for (const asked of [`dec_${'0'.repeat(32)}`, 'nonsense']) {
      expect(await ask(other.key, asked)).toEqual(foreign);
    }
  });

  it('gives a key limits and a budget of its own, and shows them', async () => {
    const made = await app.call<{ id: string }>('POST', '/api/v1/keys', {
      body: { name: 'bounded', limits: { concurrency: 3 }, budget: { period: 'day', limitUsd: '1.5' } },
      credential: user.accessToken,
    });
    const bounds = {
      limits: { concurrency: 3 },
      budget: { period: 'day', limitUsd: expect.stringMatching(/^1\.50?$/), mode: 'hard' },
    };
    expect(made).toMatchObject({ status: 201, body: bounds });
    const shown = await app.call('GET', `/api/v1/keys/${made.body.id}`, { credential: user.accessToken });
    expect(shown.body).toMatchObject(bounds);
  });

  describe('credentials in a URL', () => {
    it('open no route at all', async () => {
      const { body } = await app.call<OpenApi>('GET', '/openapi.json', { credential: null });
      const routes = Object.entries(body.paths).flatMap(([path, item]) =>
        Object.entries(item)
          .filter(([, operation]) => operation['x-lattice-class'] !== 'public')
          .map(([method]) => [method.toUpperCase(), path.replaceAll(/\{\w+\}/g, app.admin.userId)] as const),
      );
      expect(routes.length).toBeGreaterThan(20);
      for (const [method, path] of routes) {
        for (const credential of [app.admin.key, app.admin.accessToken]) {
          const query = `token=${credential}&access_token=${credential}&api_key=${credential}`;
          const answer = await app.call(method, `${path}?${query}`, { credential: null });
          expect([method, path, answer.status]).toEqual([method, path, 401]);
        }
      }
    });

    it('reach neither a log nor an answer', async () => {
      const logger = app.app.get(AppLogger);
      const written = ['log', 'debug', 'verbose', 'warn', 'error', 'fatal', 'event'] as const;
      const spies = written.map((name) => jest.spyOn(logger, name));
      const secret = 'a-token-that-nobody-may-read';
      let answers = '';
      for (const path of [
        '/api/v1/events/usr_1',
        '/api/v1/nowhere',
        '/v1/models',
        '/api/v1/keys/key_1',
        '/%zz',
      ]) {
        answers += (await app.call('GET', `${path}?token=${secret}`, { credential: null })).text;
      }
      const lines = JSON.stringify(spies.flatMap((spy) => spy.mock.calls));
      spies.forEach((spy) => spy.mockRestore());
      expect(lines).toContain('request_failed');
      expect(lines).not.toContain(secret);
      expect(answers).not.toContain(secret);
    });
  });
});
