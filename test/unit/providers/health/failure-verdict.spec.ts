import { ForbiddenError, ProviderUnavailableError, UrlNotAllowedError } from '../../../../src/errors/index';
import { failureKind, verdictOf } from '../../../../src/providers/health/failure-verdict';
import {
  ProviderError,
  type ProviderErrorOptions,
  type ProviderFault,
} from '../../../../src/providers/index';

const failure = (fault: ProviderFault, more: Partial<ProviderErrorOptions> = {}) =>
  new ProviderError('failed', { provider: 'openai', fault, mayBeBilled: false, ...more });

describe(verdictOf.name, () => {
  it.each<[ProviderFault, string]>([
    ['connect', 'unreachable'],
    ['timeout', 'timeout'],
    ['cut', 'cut'],
    ['overloaded', 'overloaded'],
    ['malformed', 'malformed_answer'],
  ])('counts %s against the model', (fault, reason) => {
    const verdict = verdictOf(failure(fault));
    expect(verdict).toMatchObject({ about: 'model', facts: { reason } });
    expect(verdict).not.toMatchObject({ facts: { isCertain: true } });
  });

  it.each<ProviderFault>([
    'not_found',
    'invalid_request',
    'context_length',
    'content_filter',
    'too_large',
    'overdue',
    'aborted',
  ])('takes %s for nothing about the provider', (fault) => {
    expect(verdictOf(failure(fault))).toEqual({ about: 'nothing' });
  });

  it.each([
    new Error('a defect'),
    new ForbiddenError('x'),
    new UrlNotAllowedError('x'),
    new ProviderUnavailableError('key_missing', 'x'),
  ])('takes %s of our own for nothing about the provider', (error) => {
    expect(verdictOf(error)).toEqual({ about: 'nothing' });
  });

  it.each([401, 402, 429, undefined])('takes a refused credential (%s) for certain', (upstreamStatus) => {
    expect(verdictOf(failure('rejected', { upstreamStatus }))).toEqual({
      about: 'credential',
      facts: { reason: 'credential_rejected', isCertain: true },
    });
  });

  it('takes 403 for one about this model only', () => {
    expect(verdictOf(failure('rejected', { upstreamStatus: 403 }))).toMatchObject({
      about: 'model',
      facts: { reason: 'access_denied', isCertain: true },
    });
  });

  it('leaves limits to the retry loop unless nobody would wait that long', () => {
    expect(verdictOf(failure('rate_limited'))).toEqual({ about: 'nothing' });
    expect(verdictOf(failure('rate_limited', { retryAfterMs: 60_000 }))).toEqual({ about: 'nothing' });
    expect(verdictOf(failure('rate_limited', { retryAfterMs: 60_001 }))).toEqual({
      about: 'model',
      facts: { reason: 'rate_limited', isCertain: true, askedMs: 60_001 },
    });
  });
});

describe(failureKind.name, () => {
  it('names faults, and what was not the provider’s', () => {
    expect([
      failureKind(failure('cut')),
      failureKind(new ProviderUnavailableError('key_missing', 'x')),
      failureKind(new UrlNotAllowedError('x')),
      failureKind(new Error('x')),
    ]).toEqual(['cut', 'unavailable', 'invalid_request', 'internal']);
  });
});
