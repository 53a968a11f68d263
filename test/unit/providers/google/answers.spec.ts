import { googleFault, googleRetryAfterMs } from '../../../../src/providers/adapters/google/errors';
import { clearWarning } from '../../../../src/providers/adapters/google/response';
import { googleEarlyUsage, googleUsage } from '../../../../src/providers/adapters/google/usage';

const NOTHING = { total: 0, noCache: 0, cacheRead: 0, cacheWrite: undefined };
const usageOf = (raw: object | undefined) =>
  googleUsage({
    inputTokens: NOTHING,
    outputTokens: { total: 0, text: 0, reasoning: 0 },
    raw: raw as never,
  });

describe(googleUsage.name, () => {
  it.each([
    [undefined, {}],
    [{}, {}],
    [{ promptTokenCount: 9 }, { promptTokens: 9 }],
    [
      { promptTokenCount: 9, totalTokenCount: 9 },
      { promptTokens: 9, completionTokens: 0 },
    ],
    [
      { promptTokenCount: 9, thoughtsTokenCount: 4 },
      { promptTokens: 9, completionTokens: 4, reasoningTokens: 4 },
    ],
    [
      { promptTokenCount: 9, toolUsePromptTokenCount: 6, candidatesTokenCount: 2 },
      { promptTokens: 15, completionTokens: 2 },
    ],
    [
      { promptTokenCount: 9, cachedContentTokenCount: 0, candidatesTokenCount: 0, thoughtsTokenCount: 0 },
      { promptTokens: 9, cachedReadTokens: 0, completionTokens: 0, reasoningTokens: 0 },
    ],
  ])('reads %j', (raw, usage) => {
    expect(usageOf(raw)).toEqual(usage);
  });
});

describe(googleEarlyUsage.name, () => {
  it('tells the prompt side only', () => {
    const usageMetadata = { promptTokenCount: 9, candidatesTokenCount: 3, cachedContentTokenCount: 4 };
    expect(googleEarlyUsage({ type: 'raw', rawValue: { usageMetadata } })).toEqual({
      promptTokens: 9,
      cachedReadTokens: 4,
    });
    expect(googleEarlyUsage({ type: 'raw', rawValue: 'x' })).toBeUndefined();
    expect(googleEarlyUsage({ type: 'text-delta', id: '0', delta: 'x' })).toBeUndefined();
  });
});

describe(googleFault.name, () => {
  it('reads words only where the message begins with them, for messages may repeat the prompt', () => {
    const quoting = 'Invalid value: "The input token count exceeds", "API key not valid"';
    expect(googleFault(400, quoting, 'INVALID_ARGUMENT')).toBeUndefined();
    expect(googleFault(400, 'API key not valid. Please pass one.', 'INVALID_ARGUMENT')).toBe('rejected');
    expect(googleFault(500, 'odd')).toBeUndefined();
  });
});

describe(googleRetryAfterMs.name, () => {
  const info = (retryDelay: unknown) => ({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay });

  it.each([
    [{ error: { details: [{ '@type': 'other' }, info('22s')] } }, 22_000],
    [{ details: [info('0.25s')] }, 250],
    [{ details: [info('0s')] }, 0],
    [{ details: [info('soon')] }, undefined],
    [{ details: [info(undefined)] }, undefined],
    [{ details: 'none' }, undefined],
    [{ error: {} }, undefined],
    [undefined, undefined],
  ])('reads %j as %s', (body, expected) => {
    expect(googleRetryAfterMs(body)).toBe(expected);
  });
});

describe(clearWarning.name, () => {
  it('changes only the words on lost signatures', () => {
    const other = { type: 'other', message: 'Just so you know' } as const;
    expect(clearWarning(other)).toBe(other);
    const lost = {
      type: 'other',
      message: 'Injected `skip_thought_signature_validator` for `get_weather`',
    } as const;
    expect(clearWarning(lost)).toMatchObject({ message: expect.stringMatching(/^messages: /) as string });
  });
});
