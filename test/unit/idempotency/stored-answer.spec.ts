import { decodeAnswer, encodeAnswer, isKept, keptHeaders } from '../../../src/idempotency/stored-answer';

describe('isKept', () => {
  it.each([200, 201, 204, 400, 413, 422])('keeps %i', (status) => {
    expect(isKept(status, false)).toBe(true);
  });

  it.each([302, 401, 402, 403, 404, 408, 409, 425, 429, 499, 500, 502, 503, 504])(
    'does not keep %i',
    (status) => {
      expect(isKept(status, false)).toBe(false);
    },
  );

  it('keeps on public routes only what succeeded', () => {
    expect([isKept(201, true), isKept(400, true), isKept(401, true)]).toEqual([true, false, false]);
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
