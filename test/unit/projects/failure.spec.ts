import {
  type AppError,
  DO_NOT_RETRY,
  ForbiddenError,
  InternalError,
  ServiceUnavailableError,
  ValidationError,
} from '../../../src/errors/index';
import { AllProvidersFailedError, DeadlineExceededError } from '../../../src/execution/index';
import { roundFailure } from '../../../src/execution/round-failure';
import { BudgetExceededError, RequestLimitError, TokenLimitError } from '../../../src/ledger/index';
import { failureOf, isOwnOutage } from '../../../src/projects/runs/failure';
import {
  CapacityUnknownError,
  CircuitOpenError,
  ProviderError,
  type ProviderFault,
  UpstreamBusyError,
} from '../../../src/providers/index';

const provider = (fault: ProviderFault, retryAfterMs?: number): ProviderError =>
  new ProviderError('It said no', { provider: 'openai', fault, mayBeBilled: false, retryAfterMs });
const counted = (afterMs: number | null = null): object => ({
  exitReason: 'retries',
  retry: { isCounted: true, afterMs },
});
const held = (afterMs: number): object => ({ retry: { isCounted: false, afterMs } });
const final = (exitReason = 'error'): object => ({ exitReason, retry: null });

describe(failureOf.name, () => {
  it.each([
    ['an empty budget', new BudgetExceededError('empty'), final('budget')],
    ['the deadline', new DeadlineExceededError('late'), final('timeout')],
    ['an invalid request', new ValidationError('no'), final()],
    ['a user who may not', new ForbiddenError('no'), final()],
    ['a request the provider refuses', provider('invalid_request'), final()],
    ['refused credentials', provider('rejected'), final()],
    ['a prompt that is too long', provider('context_length'), final()],
    ['429 of the provider', provider('rate_limited', 5000), counted(5000)],
    ['an overloaded provider', provider('overloaded'), counted()],
    ['a provider that cannot be reached', provider('connect'), counted()],
    ['a broken answer', provider('malformed'), counted()],
    ['no model that answers', new AllProvidersFailedError('none', { retryAfterMs: 7 }), counted(7)],
    ['what nobody foresaw', new InternalError('oops'), counted()],
    ['our own limit', new RequestLimitError('slow', { retryAfterMs: 900 }), held(900)],
    ['our own database', new ServiceUnavailableError('away'), held(1000)],
  ])('knows %s', (_name, error, expected) => {
    expect(failureOf(error)).toMatchObject({ message: error.message, code: error.code, ...expected });
  });

  it('does not wait for a limit that the request alone exceeds', () => {
    expect(failureOf(new TokenLimitError('too large'))).toMatchObject(final());
  });

  it('says nothing of an unknown error but that there was one', () => {
    expect(failureOf(new Error('secret')).message).not.toContain('secret');
  });
});

describe('the failure of several candidates', () => {
  const closed = new CircuitOpenError({ provider: 'openai', reason: 'rate_limited', retryAfterMs: 700 });
  const busy = (retryAfterMs?: number, options = {}): UpstreamBusyError =>
    new UpstreamBusyError(
      'full',
      { provider: 'openai', model: 'openai/a', scope: 'openai', limit: 'concurrency', retryAfterMs },
      options,
    );
  const tooLarge = busy(undefined, { retryAfterMs: undefined, headers: DO_NOT_RETRY });
  const away = new CapacityUnknownError('openai/a');
  const among = (...errors: readonly AppError[]): AppError =>
    roundFailure(errors.map((error, index) => ({ model: `openai/${index}`, error })));

  it.each<[string, AppError, object]>([
    ['none of which was called, until the first may be', among(closed, busy(900)), held(700)],
    ['none of which was called, for want of a database', among(away, closed), held(700)],
    ['none of which takes such a prompt', among(tooLarge, tooLarge), final()],
    ['the only one, which takes no such prompt', among(tooLarge), final()],
    ['one of which was called', among(closed, provider('overloaded'), busy(900)), counted(700)],
    ['none of which there was', among(), counted(1000)],
  ])('counts as what it is: %s', (_name, error, expected) => {
    expect(failureOf(error)).toMatchObject(expected);
  });

  it.each<[string, AppError, boolean]>([
    ['the database was away for one, and nothing was sent', among(closed, away), true],
    ['the database was away for the only one', among(away), true],
    ['breakers only', among(closed, busy()), false],
    ['one was called', among(provider('overloaded'), away), false],
  ])('is an outage of our own or not: %s', (_name, error, expected) => {
    expect(isOwnOutage(error)).toBe(expected);
  });
});
