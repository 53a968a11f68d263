import { type CandidateFailure, roundFailure } from '../../../src/execution/round-failure';
import { WrongDimensionsError } from '../../../src/execution/execution.errors';
import { DO_NOT_RETRY } from '../../../src/errors/index';
import {
  CircuitOpenError,
  ProviderError,
  type ProviderFault,
  UpstreamBusyError,
} from '../../../src/providers/index';

const failed = (fault: ProviderFault, retryAfterMs?: number) =>
  new ProviderError(`failed: ${fault}`, { provider: 'openai', fault, mayBeBilled: false, retryAfterMs });
const open = (retryAfterMs: number) =>
  new CircuitOpenError({ provider: 'openai', model: 'a/x', reason: 'overloaded', retryAfterMs });
const tooLargeForAMinute = () =>
  new UpstreamBusyError(
    'The prompt is more than a/x takes in a minute',
    { provider: 'openai', model: 'a/x', scope: 'a/x', limit: 'tokens_per_minute' },
    { retryAfterMs: undefined, headers: DO_NOT_RETRY },
  );

function of(...failures: readonly (readonly [model: string, error: CandidateFailure['error']])[]) {
  return roundFailure(failures.map(([model, error]) => ({ model, error })));
}

describe(roundFailure.name, () => {
  it('is the failure itself where only one candidate was tried, however often', () => {
    const last = failed('overloaded');
    expect(of(['a/x', failed('cut')], ['a/x', last])).toBe(last);
  });

  it('is the prompt that is too long when it is so for every candidate', () => {
    const error = of(['a/x', failed('context_length')], ['b/x', failed('context_length')]);
    expect([error.status, error.code]).toEqual([400, 'context_length_exceeded']);
  });

  it.each<ProviderFault>(['rejected', 'not_found'])(
    'is the prompt that is too long when nothing but that can be mended by the caller (%s)',
    (fault) => {
      for (const error of [
        of(['a/x', failed('context_length')], ['b/x', failed(fault)]),
        of(['a/x', failed(fault)], ['b/x', failed('context_length')]),
      ])
        expect(error.code).toBe('context_length_exceeded');
    },
  );

  it('counts the last failure of a candidate, and can be tried again as long as one may answer', () => {
    const error = of(
      ['a/x', failed('overloaded')],
      ['a/x', failed('context_length')],
      ['b/x', failed('overloaded', 7000)],
    );
    expect(error).toMatchObject({ status: 503, code: 'ALL_PROVIDERS_FAILED', retryAfterMs: 7000 });
    expect(error.headers).toBeUndefined();
    expect(error.details).toEqual({
      attempts: [
        { model: 'a/x', code: 'PROVIDER_OVERLOADED' },
        { model: 'a/x', code: 'context_length_exceeded' },
        { model: 'b/x', code: 'PROVIDER_OVERLOADED' },
      ],
    });
  });

  it('says when the first candidate may answer again', () => {
    expect(of(['a/x', open(30_000)], ['b/x', open(9000)], ['c/x', open(20_000)]).retryAfterMs).toBe(9000);
    expect(of(['a/x', failed('overloaded')], ['b/x', open(9000)]).retryAfterMs).toBe(1000);
    expect(of(['a/x', open(9000)], ['b/x', failed('rejected')]).retryAfterMs).toBe(9000);
  });

  it.each([
    ['credentials that are refused', failed('rejected')],
    ['models that are gone', failed('not_found')],
    ['a prompt of more than a minute’s tokens', tooLargeForAMinute()],
    ['answers that take too long', failed('overdue')],
    ['vectors of another length', new WrongDimensionsError('other')],
  ])('asks for no second try where none can help: %s', (_, error) => {
    const told = of(['a/x', error], ['b/x', failed('not_found')]);
    expect(told).toMatchObject({ code: 'ALL_PROVIDERS_FAILED', headers: { 'x-should-retry': 'false' } });
    expect(told.retryAfterMs).toBeUndefined();
  });
});
