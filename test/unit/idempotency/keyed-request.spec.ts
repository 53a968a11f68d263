import type { FastifyRequest } from 'fastify';
import { KeyRing, SecretKey } from '../../../src/config/index';
import { keyedRequest } from '../../../src/idempotency/keyed-request';

const ring = new KeyRing(new SecretKey('a'.repeat(32), false));
const BASE = {
  method: 'POST',
  url: '/v1/chat/completions',
  ip: '10.0.0.1',
  headers: { 'idempotency-key': 'k', 'x-lattice-fallback': 'none' },
  body: { model: 'm', messages: [] },
  lattice: { principal: { userId: 'u', role: 'operator' } },
};

const read = (changes: object = {}, keys = ring) =>
  keyedRequest({ ...BASE, ...changes } as unknown as FastifyRequest, keys);
const fingerprint = (changes: object = {}) => read(changes)?.fingerprints[0].digest.toString('hex');

describe('keyedRequest', () => {
  it.each<[string, object]>([
    ['without the header', { headers: {} }],
    ['of another method', { method: 'PATCH' }],
    ['elsewhere', { url: '/healthz' }],
    ['beside the API', { url: '/v10/chat' }],
  ])('leaves a request %s alone', (_, changes) => {
    expect(read(changes)).toBeUndefined();
  });

  it.each(['', ' ', 'a b', 'x'.repeat(256), 'é', 'a\u007f', ['a', 'b']])('refuses the key %j', (key) => {
    expect(() => read({ headers: { 'idempotency-key': key } })).toThrow(
      expect.objectContaining({ code: 'VALIDATION_FAILED', param: 'Idempotency-Key' }),
    );
  });

  it.each(['a', '"8e03978e-40d5-43dd-bc93-6894a57f9324"', '~'.repeat(255)])('takes the key %s', (key) => {
    expect(read({ headers: { 'idempotency-key': key } })?.key).toBe(key);
  });

  it('belongs to the user, whichever key is used, and on public routes to the address', () => {
    expect(read()).toMatchObject({ owner: 'u', isPublic: false });
    expect(read({ lattice: {} })).toMatchObject({ owner: 'address:10.0.0.1', isPublic: true });
  });

  it.each<[string, object]>([
    ['body', { body: { model: 'm', messages: [], n: 2 } }],
    ['lack of a body', { body: undefined }],
    ['path', { url: '/v1/messages' }],
    ['query', { url: '/v1/chat/completions?a=1' }],
    ['option', { headers: { ...BASE.headers, 'x-lattice-fallback': 'any' } }],
    ['scope of the key', { lattice: { principal: { ...BASE.lattice.principal, scopes: ['inference'] } } }],
    ['set of models', { lattice: { principal: { ...BASE.lattice.principal, allowedModels: ['x/*'] } } }],
    ['dialect version', { headers: { ...BASE.headers, 'anthropic-version': '2023-06-01' } }],
  ])('differs with another %s', (_, changes) => {
    expect(fingerprint(changes)).not.toBe(fingerprint());
  });

  it('does not differ between credentials of one user that reach as far', () => {
    const principal = { ...BASE.lattice.principal, keyId: 'k1', tokenId: 't1' };
    expect(fingerprint({ lattice: { principal } })).toBe(fingerprint());
  });

  it('does not differ with what clients say of themselves', () => {
    const headers = {
      'x-stainless-retry-count': '2',
      'user-agent': 'other',
      accept: '*/*',
      'x-request-id': 'r',
      traceparent: 't',
      authorization: 'Bearer other',
    };
    expect(fingerprint({ headers: { ...headers, ...BASE.headers } })).toBe(fingerprint());
  });

  it('cannot be guessed without the secret key, and is recognised after the key was replaced', () => {
    const other = new SecretKey('b'.repeat(32), false);
    const rotated = read({}, new KeyRing(other, [new SecretKey('a'.repeat(32), false)]))?.fingerprints ?? [];
    expect(rotated.map(({ digest }) => digest.toString('hex'))).toEqual([
      read({}, new KeyRing(other))?.fingerprints[0].digest.toString('hex'),
      fingerprint(),
    ]);
    expect(rotated[0]?.digest).not.toEqual(rotated[1]?.digest);
    expect(rotated[0]?.keyId).not.toBe(rotated[1]?.keyId);
  });
});
