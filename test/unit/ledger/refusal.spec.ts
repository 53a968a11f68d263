import type { RequestContext } from '../../../src/common/index';
import {
  type LimitRefusal,
  limitError,
  type Refusal,
  refusalError,
  softBudgetWarnings,
} from '../../../src/ledger/refusal';

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
      scope: 'key',
      period: 'day',
      limitPicoUsd: '1000000000000',
      spentPicoUsd: '240000',
      heldPicoUsd: '0',
      resetsAt: '2026-05-06T00:00:00Z',
    };
    expect(refusalError(ctx, refusal, NOW)).toMatchObject({
      message: 'The daily budget of the API key is exhausted until 2026-05-06T00:00:00.000Z',
      details: {
        budgetId: 'bud_0123456789ab7def8123456789abcdef',
        scope: 'key',
        period: 'day',
        limitUsd: '1',
        spentUsd: '0.00000024',
        heldUsd: '0',
        resetsAt: '2026-05-06T00:00:00.000Z',
      },
    });
  });

  it.each(['global', 'project', 'run'] as const)(
    'tells the amounts of a budget of the scope %s to administrators only',
    (scope) => {
      const refusal: Refusal = {
        kind: 'budget',
        budgetId: '01234567-89ab-7def-8123-456789abcdef',
        scope,
        period: 'total',
        limitPicoUsd: '1000000000000',
        spentPicoUsd: '240000',
        heldPicoUsd: '0',
        resetsAt: null,
      };
      expect(refusalError(ctx, refusal, NOW).details).toEqual({ scope, period: 'total', resetsAt: null });
      const admin = { ...ctx, principal: { userId: 'u', role: 'admin' } } as RequestContext;
      expect(refusalError(admin, refusal, NOW).details).toMatchObject({ limitUsd: '1', heldUsd: '0' });
    },
  );

  it('tells what the installation’s limit is to administrators only, and that it is reached to all', () => {
    const refusal: LimitRefusal = {
      kind: 'limit',
      limit: 'requests_per_hour',
      scope: 'global',
      value: 777,
      isTooLarge: false,
      resetsAt: '2026-05-05T11:00:00Z',
    };
    const own = { limit: 60, remaining: 50, resetsAt: new Date(NOW + 30_000), windowSeconds: 60 } as const;
    const error = limitError(refusal, NOW, own);
    expect(JSON.stringify([error.message, error.details, error.headers])).not.toContain('777');
    expect(error).toMatchObject({
      message: 'The limit of requests per hour of the installation is reached until 2026-05-05T11:00:00.000Z',
      details: { limit: 'requests_per_hour', scope: 'global', resetsAt: '2026-05-05T11:00:00.000Z' },
      headers: { 'ratelimit-remaining': '0', 'ratelimit-reset': '3570' },
      retryAfterMs: 3_570_000,
    });
    const admin = { ...ctx, principal: { userId: 'u', role: 'admin' } } as RequestContext;
    expect(refusalError(admin, refusal, NOW)).toMatchObject({ details: { value: 777 } });
    const concurrency = { ...refusal, limit: 'concurrency', resetsAt: null } as const;
    expect(limitError(concurrency, NOW).message).toBe(
      'No more than a limited number of requests of the installation may run at once',
    );
  });

  it('puts the caller’s own window into the headers', () => {
    const refusal: LimitRefusal = {
      kind: 'limit',
      limit: 'requests_per_minute',
      scope: 'user',
      value: 60,
      isTooLarge: false,
      resetsAt: '2026-05-05T10:01:00Z',
    };
    const own = { limit: 60, remaining: 0, resetsAt: new Date(NOW + 30_000), windowSeconds: 60 } as const;
    expect(limitError(refusal, NOW, own).headers).toMatchObject({
      'ratelimit-limit': '60',
      'ratelimit-remaining': '0',
      'ratelimit-policy': '60;w=60',
    });
  });
});

describe(softBudgetWarnings.name, () => {
  it('names scope and period, the installation’s to administrators only', () => {
    const exceeded = [
      { scope: 'global', period: 'day' },
      { scope: 'run', period: 'total' },
    ];
    expect(softBudgetWarnings(ctx, exceeded)).toEqual(['The soft total budget of the run is exceeded']);
    const admin = { ...ctx, principal: { userId: 'u', role: 'admin' } } as RequestContext;
    expect(softBudgetWarnings(admin, exceeded)).toHaveLength(2);
  });
});
