import { startApp, type TestApp } from '../support/app';

const ORIGIN = 'https://app.example.com';

function preflight(app: TestApp, origin: string, headers: string): Promise<Response> {
  return fetch(`${app.url}/v1/chat/completions`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': headers,
    },
  });
}

describe('security headers', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  it.each(['/healthz', '/docs', '/api/v1/keys', '/v1/models', '/no-such-route'])(
    'stand on %s, whatever its answer',
    async (route) => {
      const { headers } = await fetch(`${app.url}${route}`);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('strict-transport-security')).toBeNull();
    },
  );

  it('let nobody keep an answer of the API', async () => {
    const { headers } = await app.call('GET', '/api/v1/keys');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('stand on streams too', async () => {
    const answer = await app.call('POST', '/v1/chat/completions', {
      body: { model: 'sandbox/small', stream: true, messages: [{ role: 'user', content: 'Hi' }] },
    });
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
  });

  it('keep CORS closed by default', async () => {
    const answer = await preflight(app, ORIGIN, 'authorization');
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    const { headers } = await fetch(`${app.url}/healthz`, { headers: { origin: ORIGIN } });
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('CORS_ORIGINS', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({ CORS_ORIGINS: `${ORIGIN}, https://other.example.com` });
  });
  afterAll(() => app.close());

  it('opens the API to these origins, with the methods and headers of its clients', async () => {
    const asked = 'authorization,x-lattice-fallback,x-lattice-anything,x-stainless-os,x-evil';
    const answer = await preflight(app, ORIGIN, asked);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(answer.headers.get('access-control-allow-methods')).toBe('GET, POST, PATCH, PUT, DELETE, OPTIONS');
    const allowed = answer.headers.get('access-control-allow-headers') ?? '';
    for (const name of [
      'Authorization',
      'x-api-key',
      'Content-Type',
      'Idempotency-Key',
      'Last-Event-ID',
      'x-request-id',
      'x-lattice-fallback',
      'x-lattice-anything',
      'x-stainless-os',
      'anthropic-version',
      'anthropic-beta',
      'anthropic-dangerous-direct-browser-access',
    ]) {
      expect(allowed.split(', ')).toContain(name);
    }
    expect(allowed).not.toContain('x-evil');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });

  it('exposes what a caller needs, on streams and errors too', async () => {
    const refused = await fetch(`${app.url}/api/v1/keys`, { headers: { origin: ORIGIN } });
    expect(refused.status).toBe(401);
    const streamed = await app.call('POST', '/v1/chat/completions', {
      headers: { origin: ORIGIN },
      body: { model: 'sandbox/small', stream: true, messages: [{ role: 'user', content: 'Hi' }] },
    });
    for (const { headers } of [refused, streamed]) {
      expect(headers.get('access-control-allow-origin')).toBe(ORIGIN);
      const exposed = headers.get('access-control-expose-headers') ?? '';
      for (const name of [
        'RateLimit-Limit',
        'Retry-After',
        'x-should-retry',
        'x-request-id',
        'request-id',
        'x-lattice-cost-usd',
      ]) {
        expect(exposed.split(', ')).toContain(name);
      }
      const own = [...headers.keys()].filter((name) => name.startsWith('x-lattice-'));
      expect(own.filter((name) => !exposed.split(', ').includes(name))).toEqual([]);
    }
  });

  it('stays closed to every other origin', async () => {
    const answer = await preflight(app, 'https://evil.example.com', 'authorization');
    expect(answer.headers.get('access-control-allow-origin')).not.toBe('https://evil.example.com');
    expect(answer.headers.get('access-control-allow-origin')).not.toBe('*');
  });
});
