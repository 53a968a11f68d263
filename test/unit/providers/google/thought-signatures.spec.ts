import {
  type SignedCall,
  ThoughtSignatures,
} from '../../../../src/providers/adapters/google/thought-signatures';

const call = (overrides: Partial<SignedCall> = {}): SignedCall => ({
  modelId: 'gemini-3.8-flash',
  toolCallId: 'call_1',
  toolName: 'get_weather',
  input: { city: 'Paris' },
  ...overrides,
});

describe(ThoughtSignatures.name, () => {
  it('gives a signature back with the very call it came with, again and again', () => {
    const signatures = new ThoughtSignatures();
    signatures.keep(call(), 'one');
    signatures.keep(call({ toolCallId: 'call_2' }), 'two');
    signatures.keep(call(), 'newer');
    expect([signatures.find(call()), signatures.find(call())]).toEqual(['newer', 'newer']);
    expect(signatures.find(call({ toolCallId: 'call_2' }))).toBe('two');
  });

  it.each([
    { modelId: 'gemini-4-argon' },
    { toolCallId: 'call_2' },
    { toolName: 'get_time' },
    { input: { city: 'Rome' } },
  ])('knows nothing of a call that differs by %j', (difference) => {
    const signatures = new ThoughtSignatures();
    signatures.keep(call(), 'one');
    expect(signatures.find(call(difference))).toBeUndefined();
  });

  it('forgets after its time', () => {
    let now = 0;
    const signatures = new ThoughtSignatures({ ttlMs: 1000, now: () => now });
    signatures.keep(call(), 'one');
    now = 999;
    expect(signatures.find(call())).toBe('one');
    now = 1000;
    expect(signatures.find(call())).toBeUndefined();
    now = 0;
    expect(signatures.find(call())).toBeUndefined();
  });

  it('stays within its bound: what was used longest ago goes first', () => {
    const signatures = new ThoughtSignatures({ maxChars: 1000 });
    const calls = ['a', 'b', 'c'].map((toolCallId) => call({ toolCallId }));
    const kept = () => calls.map((one) => signatures.find(one)?.slice(0, 1));
    const [a, b, c] = calls as [SignedCall, SignedCall, SignedCall];
    signatures.keep(a, 'a'.repeat(300));
    signatures.keep(b, 'b'.repeat(300));
    signatures.find(a);
    signatures.keep(c, 'c'.repeat(300));
    expect(kept()).toEqual(['a', undefined, 'c']);
    signatures.keep(b, 'b'.repeat(2000));
    expect(kept()).toEqual(['a', undefined, 'c']);
    for (let again = 0; again < 10; again += 1) signatures.keep(a, 'a'.repeat(300));
    expect(kept()).toEqual(['a', undefined, 'c']);
  });
});
