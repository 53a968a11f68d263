import {
  KeptThoughts,
  type ThoughtCall,
  thoughtKey,
} from '../../../../src/providers/adapters/ai-sdk/kept-thoughts';
import { StoreInMemory } from '../../../support/contract/thought-store';

const OWNER = 'ada';
const call = (overrides: Partial<ThoughtCall> = {}): string =>
  thoughtKey({
    modelId: 'gemini-3.8-flash',
    toolCallId: 'call_1',
    toolName: 'get_weather',
    input: { city: 'Paris' },
    ...overrides,
  });
const keep = (kept: KeptThoughts, key: string, thought: string, owner = OWNER): Promise<void> =>
  kept.keep(owner, [{ key, thought }]);
const find = async (kept: KeptThoughts, key: string, owner = OWNER): Promise<string | undefined> =>
  (await kept.find(owner, [key])).get(key);

describe(KeptThoughts.name, () => {
  it('gives a thought back with the very call it came with, again and again', async () => {
    const kept = new KeptThoughts();
    await keep(kept, call(), 'one');
    await keep(kept, call({ toolCallId: 'call_2' }), 'two');
    await keep(kept, call(), 'newer');
    expect([await find(kept, call()), await find(kept, call())]).toEqual(['newer', 'newer']);
    expect(await find(kept, call({ toolCallId: 'call_2' }))).toBe('two');
  });

  it.each([
    { modelId: 'gemini-4-argon' },
    { toolCallId: 'call_2' },
    { toolName: 'get_time' },
    { input: { city: 'Rome' } },
  ])('knows nothing of a call that differs by %j', async (difference) => {
    const kept = new KeptThoughts(new StoreInMemory());
    await keep(kept, call(), 'one');
    expect(await find(kept, call(difference))).toBeUndefined();
  });

  it('knows nothing of another owner’s call, in memory or in the store', async () => {
    const store = new StoreInMemory();
    const kept = new KeptThoughts(store);
    await keep(kept, call(), 'one');
    expect(await find(kept, call(), 'bob')).toBeUndefined();
    expect(await find(new KeptThoughts(store), call(), 'bob')).toBeUndefined();
    expect(await find(new KeptThoughts(store), call())).toBe('one');
  });

  it('forgets after its time', async () => {
    const clock = jest.spyOn(performance, 'now').mockReturnValue(1);
    try {
      const kept = new KeptThoughts(undefined, { ttlMs: 1000 });
      await keep(kept, call(), 'one');
      clock.mockReturnValue(1000);
      expect(await find(kept, call())).toBe('one');
      clock.mockReturnValue(2002);
      expect(await find(kept, call())).toBeUndefined();
    } finally {
      clock.mockRestore();
    }
  });

  it('stays within its bound: what was used longest ago goes first', async () => {
    const kept = new KeptThoughts(undefined, { maxChars: 1000, maxThoughtChars: 2000 });
    const [a, b, c] = ['a', 'b', 'c'].map((toolCallId) => call({ toolCallId })) as [string, string, string];
    const left = async () =>
      await Promise.all([a, b, c].map(async (one) => (await find(kept, one))?.slice(0, 1)));
    await keep(kept, a, 'a'.repeat(300));
    await keep(kept, b, 'b'.repeat(300));
    await find(kept, a);
    await keep(kept, c, 'c'.repeat(300));
    expect(await left()).toEqual(['a', undefined, 'c']);
    await keep(kept, b, 'b'.repeat(2000));
    expect(await left()).toEqual(['a', undefined, 'c']);
    for (let again = 0; again < 10; again += 1) await keep(kept, a, 'a'.repeat(300));
    expect(await left()).toEqual(['a', undefined, 'c']);
  });

  it('keeps nothing that is too long, anywhere', async () => {
    const store = new StoreInMemory();
    const kept = new KeptThoughts(store, { maxThoughtChars: 10 });
    await keep(kept, call(), 'x'.repeat(11));
    expect([await find(kept, call()), store.size]).toEqual([undefined, 0]);
  });

  it('asks the store once, for what it has and for what it has not', async () => {
    const store = new StoreInMemory();
    await keep(new KeptThoughts(store), call(), 'one');
    const kept = new KeptThoughts(store);
    const keys = [call(), call({ toolCallId: 'unknown' })];
    for (let again = 0; again < 3; again += 1) {
      expect([...(await kept.find(OWNER, keys)).values()]).toEqual(['one']);
    }
    expect(store.questions).toBe(1);
    await kept.find(OWNER, []);
    expect(store.questions).toBe(1);
  });

  it('finds for a call that brings its thoughts along those alone, and asks nobody', async () => {
    const store = new StoreInMemory();
    const kept = new KeptThoughts(store);
    const [first, second] = [call(), call({ toolCallId: 'call_2' })];
    for (const key of [first, second]) await keep(kept, key, 'now');
    const recalled = [{ key: first, thought: 'then' }];
    expect(await new KeptThoughts(store).recall({ ownerId: OWNER, recalled }, [first, second])).toEqual(
      recalled,
    );
    expect(await kept.recall({ ownerId: OWNER, recalled: [] }, [first, second])).toEqual([]);
    expect(store.questions).toBe(0);
  });

  it('names a thought as often as its call comes up', async () => {
    const kept = new KeptThoughts();
    await keep(kept, call(), 'one');
    const thought = { key: call(), thought: 'one' };
    expect(await kept.recall({ ownerId: OWNER }, [call(), 'unknown', call()])).toEqual([thought, thought]);
  });

  it('goes on without the store while it is away, and asks again later', async () => {
    const store = new StoreInMemory();
    await keep(new KeptThoughts(store), call(), 'one');
    const kept = new KeptThoughts(store);
    store.isAway = true;
    expect(await find(kept, call())).toBeUndefined();
    await keep(kept, call({ toolCallId: 'call_2' }), 'two');
    expect(await find(kept, call({ toolCallId: 'call_2' }))).toBe('two');
    store.isAway = false;
    expect(await find(kept, call())).toBe('one');
  });

  it('asks for the newest calls of an endless conversation only', async () => {
    const store = new StoreInMemory();
    const asked: number[] = [];
    const counting = {
      keep: store.keep.bind(store),
      find: (owner: string, keys: readonly string[]) => (asked.push(keys.length), store.find(owner, keys)),
    };
    await new KeptThoughts(counting).find(
      OWNER,
      Array.from({ length: 1000 }, (_, index) => `key-${index}`),
    );
    expect(asked).toEqual([256]);
  });
});
