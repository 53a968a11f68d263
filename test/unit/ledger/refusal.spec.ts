import type { RequestContext } from '../../../src/common/index';
import { exceededWarning, type Refusal, refusalError } from '../../../src/ledger/refusal';

const ctx = { requestId: 'r', principal: { userId: 'u', role: 'operator' } } as unknown as RequestContext;
const NOW = Date.parse('2026-05-05T10:00:30Z');

describe(refusalError.name, () => {
  it('says which limit, of what, until when, and how long to wait', () => {
    const refusal: Refusal = {
      kind: 'limit',
      limit: 'requests_per_minute',
      scope: 'key',
      value: 60,
      isTooLarge: false,
      resetsAt: '2026-05-05T12:01:00+02:00',
    };
    expect(refusalError(ctx, refusal, NOW)).toMatchObject({
      code: 'REQUEST_LIMIT_EXCEEDED',
      status: 429,
      type: 'rate_limit_error',
      retryAfterMs: 30_000,
      message: 'The limit of 60 requests per minute of the API key is reached until 2026-05-05T10:01:00.000Z',
      details: {
        limit: 'requests_per_minute',
        scope: 'key',
        value: 60,
        resetsAt: '2026-05-05T10:01:00.000Z',
      },
    });
  });

  it('never asks to come back in the past', () => {
    const refusal: Refusal = {
      kind: 'limit',
      limit: 'tokens_per_hour',
      scope: 'global',
      value: 5,
      isTooLarge: false,
      resetsAt: '2026-05-05T10:00:00Z',
    };
    expect(refusalError(ctx, refusal, NOW)).toMatchObject({ code: 'TOKEN_LIMIT_EXCEEDED', retryAfterMs: 1 });
  });

  it('has a remedy for a request that is too large and for too many at once', () => {
    const limit = { kind: 'limit', scope: 'user', value: 2, isTooLarge: false, resetsAt: null } as const;
    expect(refusalError(ctx, { ...limit, limit: 'concurrency' }, NOW)).toMatchObject({
      message: 'No more than 2 requests of the user may run at once',
      retryAfterMs: 1000,
    });
    const tooLarge = refusalError(ctx, { ...limit, limit: 'tokens_per_minute', isTooLarge: true }, NOW);
    expect(tooLarge.message).toBe(
      'This request alone is larger than the limit of 2 tokens per minute of the user: shorten it',
    );
    expect(tooLarge.retryAfterMs).toBeUndefined();
  });

  it.each([
    ['user_unknown', 401],
    ['user_disabled', 403],
    ['key_unknown', 401],
    ['key_revoked', 401],
    ['key_expired', 401],
  ] as const)('answers %s with %i', (reason, status) => {
    expect(refusalError(ctx, { kind: 'inactive', reason }, NOW)).toMatchObject({ status });
  });

  it('names the scope and the end of the period of an exhausted budget', () => {
    const refusal: Refusal = {
      kind: 'budget',
      budgetId: '01234567-89ab-7def-8123-456789abcdef',
      scope: 'project',
      period: 'day',
      limitPicoUsd: '1000000000000',
      spentPicoUsd: '240000',
      heldPicoUsd: '0',
      resetsAt: '2026-05-06T00:00:00Z',
    };
    expect(refusalError(ctx, refusal, NOW)).toMatchObject({
      message: 'The daily budget of the project is exhausted until 2026-05-06T00:00:00.000Z',
      details: {
        budgetId: 'bud_0123456789ab7def8123456789abcdef',
        scope: 'project',
        period: 'day',
        limitUsd: '1',
        spentUsd: '0.00000024',
        heldUsd: '0',
        resetsAt: '2026-05-06T00:00:00.000Z',
      },
    });
    expect(exceededWarning('run', 'total')).toBe('The soft total budget of the run is exceeded');
  });
});
