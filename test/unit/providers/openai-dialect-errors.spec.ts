import type { JsonObject } from '../../../src/common/index';
import {
  answerError,
  failureOf,
  reportedError,
  transportFault,
} from '../../../src/providers/adapters/openai-dialect/errors';
import { type ErrorContext, safeMessage } from '../../../src/providers/adapters/safe-message';
import { codeOfError, faultOf, retryAfterMs } from '../../../src/providers/adapters/upstream-fault';

const PROMPT = 'Tell me the story of the seven grey herons of Lake Nowhere.';

function context(overrides: Partial<ErrorContext> = {}): ErrorContext {
  return {
    provider: 'openai',
    apiKey: 'plain-credential',
    body: { model: 'm', messages: [{ role: 'user', content: PROMPT }] },
    ...overrides,
  };
}

describe(faultOf.name, () => {
  it.each([
    [400, {}, 'invalid_request'],
    [401, {}, 'rejected'],
    [402, {}, 'rejected'],
    [403, {}, 'rejected'],
    [404, {}, 'not_found'],
    [408, {}, 'overloaded'],
    [413, {}, 'context_length'],
    [418, {}, 'invalid_request'],
    [422, {}, 'invalid_request'],
    [429, {}, 'rate_limited'],
    [302, {}, 'malformed'],
    [500, { code: 'context_length_exceeded' }, 'overloaded'],
    [529, {}, 'overloaded'],
    [400, { code: 'context_length_exceeded' }, 'context_length'],
    [400, { message: "This model's maximum context length is 8192 tokens" }, 'context_length'],
    [400, { message: 'the request exceeds the available context size' }, 'context_length'],
    [400, { message: 'Prompt is too long' }, 'context_length'],
    [429, { code: 'rate_limit_exceeded', message: 'Request too large for model' }, 'context_length'],
    [429, { message: 'Too many tokens, please wait before trying again.' }, 'rate_limited'],
    [
      429,
      { type: 'rate_limit_error', message: 'This exceeds your context window per minute' },
      'rate_limited',
    ],
    [429, { message: 'Request too large for gpt on tokens per min (TPM)' }, 'context_length'],
    [400, { message: 'Too many tokens' }, 'context_length'],
    [
      400,
      { code: 'Client specified an invalid argument', message: 'Incorrect API key provided: x' },
      'rejected',
    ],
    [400, { message: 'Incorrect%20API%20key%20provided:%20x' }, 'rejected'],
    [400, { message: 'Your prompt says: Incorrect API key' }, 'invalid_request'],
    [400, { code: 'content_filter', message: 'context length' }, 'content_filter'],
    [400, { code: 'model_not_found' }, 'not_found'],
    [429, { code: 'insufficient_quota' }, 'rejected'],
    [429, { type: 'insufficient_quota' }, 'rejected'],
  ])('maps %d with %j to %s', (status, failure, fault) => {
    expect(faultOf(status, failure)).toBe(fault);
  });
});

describe(failureOf.name, () => {
  it.each<[JsonObject | undefined, object]>([
    [undefined, {}],
    [{ error: 'model is loading' }, { message: 'model is loading' }],
    [
      { code: 'c', error: 'e' },
      { message: 'e', code: 'c' },
    ],
    [
      { error: { message: 'a', code: 429, type: 't', param: 'p' } },
      { message: 'a', code: '429', type: 't', param: 'p' },
    ],
    [
      { message: 'b', code: 'c' },
      { message: 'b', code: 'c' },
    ],
    [{ detail: 'd' }, { message: 'd' }],
    [{ detail: [{ msg: 'e', input: PROMPT }, { msg: 'f' }, 'g'] }, { message: 'e; f' }],
    [
      { error: { message: 'h', innererror: { code: 'ResponsibleAIPolicyViolation' } } },
      { message: 'h', code: 'ResponsibleAIPolicyViolation' },
    ],
  ])('reads %j', (body, failure) => {
    expect(failureOf(body)).toMatchObject(failure);
  });
});

describe(retryAfterMs.name, () => {
  it.each([
    [{}, undefined],
    [{ 'retry-after': '7' }, 7000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after': '7', 'retry-after-ms': '1500' }, 1500],
    [{ 'retry-after': 'Fri, 01 Jan 2027 00:00:10 GMT' }, 10_000],
    [{ 'retry-after': 'Thu, 31 Dec 2026 00:00:10 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
  ])('reads %j as %s', (headers, expected) => {
    expect(retryAfterMs(headers, Date.parse('2027-01-01T00:00:00Z'))).toBe(expected);
  });
});

describe(safeMessage.name, () => {
  it.each([
    'key sk-proj-abc123def456',
    'Authorization: Bearer abcdef',
    'key AIzaSyA1234567890',
    'api_key=abcdef1234',
    'your plain-credential is wrong',
    'id 0123456789abcdef0123456789abcdef01',
  ])('hides the credential in "%s"', (message) => {
    const safe = safeMessage(context(), message);
    expect(safe).toContain('[redacted]');
    expect(safe).not.toMatch(/abc123|abcdef|1234567|plain-credential/);
  });

  it('withholds a message that repeats a part of the prompt', () => {
    expect(safeMessage(context(), `bad input: "${PROMPT.slice(5, 40)}"`)).toContain('withheld');
    const short = context({ body: { model: 'm', messages: [{ role: 'user', content: 'my secret' }] } });
    expect(safeMessage(short, 'cannot read "my secret"')).toContain('withheld');
  });

  it.each([0, 3, 7, 9])('searches the whole of a long prompt, whatever its place (%d)', (shift) => {
    const quoted = 'xyz which nobody has heard of.';
    const content = `${'ab '.repeat(300_000)}${'-'.repeat(shift)}${quoted}${' cd'.repeat(300_000)}`;
    const long = context({ body: { model: 'm', messages: [{ role: 'user', content }] } });
    expect(safeMessage(long, `cannot read "${quoted}"`)).toContain('withheld');
    expect(safeMessage(long, 'cannot read xyz which somebody has')).toBe(
      'cannot read xyz which somebody has',
    );
  });

  it('keeps at most 500 characters', () => {
    expect(safeMessage(context(), 'no '.repeat(1000))).toHaveLength(500);
    expect(safeMessage(context(), '  ')).toBeUndefined();
  });
});

describe(answerError.name, () => {
  it('carries status, request id, wait and parameter, and is not billed', () => {
    const error = answerError(context(), {
      status: 429,
      headers: { 'apim-request-id': 'r-1', 'retry-after': '2' },
      body: { error: { message: 'Slow down', param: 'model' } },
    });
    expect(error).toMatchObject({
      message: 'openai answered 429: Slow down',
      fault: 'rate_limited',
      upstreamStatus: 429,
      upstreamRequestId: 'r-1',
      retryAfterMs: 2000,
      param: 'model',
      mayBeBilled: false,
    });
  });
});

describe(reportedError.name, () => {
  it.each([
    [{ code: '429' }, 'rate_limited'],
    [{ code: '503' }, 'overloaded'],
    [{ type: 'rate_limit_error', message: 'Too many tokens' }, 'rate_limited'],
    [{ type: 'server_error' }, 'overloaded'],
    [{ code: 'context_length_exceeded' }, 'context_length'],
    [{ code: '7' }, 'malformed'],
    [{}, 'malformed'],
  ])('maps %j to %s and may be billed', (failure, fault) => {
    expect(reportedError(context(), failure, {})).toMatchObject({ fault, mayBeBilled: true });
  });
});

describe(transportFault.name, () => {
  it('tells a connection that never stood from one that broke', () => {
    expect(transportFault(new Error('x'), false)).toBe('connect');
    expect(transportFault(new Error('x'), true)).toBe('cut');
    expect(transportFault(Object.assign(new Error('x'), { code: 'HPE_INVALID_CONSTANT' }), true)).toBe(
      'malformed',
    );
  });
});

describe(codeOfError.name, () => {
  it('finds the code behind causes and aggregates', () => {
    const refused = Object.assign(new Error('connect 10.0.0.1'), { code: 'ECONNREFUSED' });
    expect(codeOfError(refused)).toBe('ECONNREFUSED');
    expect(codeOfError(new Error('outer', { cause: refused }))).toBe('ECONNREFUSED');
    expect(codeOfError(new AggregateError([refused]))).toBe('ECONNREFUSED');
    expect(codeOfError(new TypeError('x'))).toBe('TypeError');
  });
});
