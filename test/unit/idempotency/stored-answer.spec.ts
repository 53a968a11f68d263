import { decodeAnswer, encodeAnswer, isKept, keptHeaders } from '../../../src/idempotency/stored-answer';

const answer = (status: number, body: object | string = {}) => ({
  status,
  headers: {},
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});

describe('isKept', () => {
  it.each([200, 201, 204, 400, 413])('keeps %i', (status) => {
    expect(isKept(answer(status), false)).toBe(true);
  });

  it.each([302, 401, 402, 403, 404, 408, 409, 422, 425, 429, 499, 500, 502, 503, 504])(
    'does not keep %i',
    (status) => {
      expect(isKept(answer(status), false)).toBe(false);
    },
  );

  it.each([
    ['VALIDATION_FAILED', true],
    ['PROVIDER_INVALID_REQUEST', true],
    ['WRONG_PASSWORD', false],
    ['URL_NOT_ALLOWED', false],
    ['MODEL_LACKS_CAPABILITY', false],
    ['context_length_exceeded', false],
  ])('keeps a 400 that only the caller can change: %s: %s', (code, isToBeKept) => {
    expect(isKept(answer(400, { error: { code } }), false)).toBe(isToBeKept);
  });

  it.each(['', 'null', '[1', '{"error":null}'])('keeps a 400 whose body is "%s"', (body) => {
    expect(isKept(answer(400, body), false)).toBe(true);
  });

  it('keeps on public routes only what succeeded', () => {
    expect([201, 400, 401].map((status) => isKept(answer(status), true))).toEqual([true, false, false]);
  });
});

describe('keptHeaders', () => {
  it('keeps what belongs to the answer, and the id of the request as the original one', () => {
    expect(
      keptHeaders({
        'content-type': 'application/json',
        'content-length': '12',
        date: 'today',
        location: '/api/v1/keys/1',
        'ratelimit-remaining': '3',
        'x-request-id': 'mine',
        'x-lattice-request-id': 'req_1',
        'x-lattice-cost-usd': '0.1',
        'x-lattice-attempts': 1,
        'x-lattice-stop': undefined,
      }),
    ).toEqual({
      'content-type': 'application/json',
      location: '/api/v1/keys/1',
      'x-lattice-original-request-id': 'req_1',
      'x-lattice-cost-usd': '0.1',
      'x-lattice-attempts': '1',
    });
  });
});

describe('encodeAnswer', () => {
  it.each([Buffer.alloc(0), Buffer.from('Größe 🙂'), Buffer.from([0, 255, 10])])(
    'is undone by decodeAnswer',
    (body) => {
      const answer = { status: 201, headers: { 'x-lattice-warnings': 'ä' }, body };
      expect(decodeAnswer(encodeAnswer(answer))).toEqual(answer);
    },
  );
});
