import {
  ForbiddenError,
  InternalError,
  ServiceUnavailableError,
  ValidationError,
} from '../../../src/errors/index';
import { AllProvidersFailedError, DeadlineExceededError } from '../../../src/execution/index';
import { BudgetExceededError, RequestLimitError, TokenLimitError } from '../../../src/ledger/index';
import { failureOf } from '../../../src/projects/runs/failure';
import { ProviderError, type ProviderFault } from '../../../src/providers/index';

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
