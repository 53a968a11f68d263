import { jest } from '@jest/globals';
import type { AppConfig } from '../../../../src/config/index';
import {
  type KeptAnswer,
  keptPieces,
  keptWhole,
  MAX_ANSWER_BYTES,
  piecesOf,
  weightOf,
} from '../../../../src/execution/response-cache/kept-answer';
import { ResponseStore } from '../../../../src/execution/response-cache/response-store.service';

const FACTS = { modelId: 'openai/gpt-test', usage: { promptTokens: 1, completionTokens: 2 }, warnings: [] };

const answer = (text: string): KeptAnswer => {
  const kept = keptWhole(FACTS, text);
  if (!kept) throw new Error('too large');
  return kept;
};

const store = (bounds: { entries?: number; bytes?: number; seconds?: number } = {}): ResponseStore => {
  const { entries = 10, bytes = 1_000_000, seconds = 60 } = bounds;
  const vars = {
    RESPONSE_CACHE_MAX_ENTRIES: entries,
    RESPONSE_CACHE_MAX_BYTES: bytes,
    RESPONSE_CACHE_TTL_SECONDS: seconds,
  };
  return new ResponseStore({ vars } as AppConfig);
};

const key = (digest: string, ownerId = 'ada') => ({ ownerId, digest });

describe(ResponseStore.name, () => {
  afterEach(() => jest.useRealTimers());

  it('gives an entry to its owner only', () => {
    const it = store();
    it.set(key('d'), answer('x'));
    expect(it.get(key('d'))?.bytes.toString()).toBe('x');
    expect(it.get(key('d', 'bob'))).toBeUndefined();
    expect(it.get(key('e'))).toBeUndefined();
  });

  it('holds so many entries, and drops what was not asked for longest', () => {
    const it = store({ entries: 2 });
    it.set(key('a'), answer('a'));
    it.set(key('b'), answer('b'));
    it.get(key('a'));
    it.set(key('c'), answer('c'));
    expect(it.size).toBe(2);
    expect(it.get(key('b'))).toBeUndefined();
    expect(it.get(key('a'))).toBeDefined();
  });

  it('holds so many bytes', () => {
    const it = store({ entries: 1000, bytes: 100_000 });
    for (let entry = 0; entry < 50; entry++) it.set(key(`${entry}`), answer('x'.repeat(10_000)));
    expect(it.size).toBe(Math.floor(100_000 / weightOf(answer('x'.repeat(10_000)))));
    expect(it.get(key('49'))).toBeDefined();
  });

  it('takes no entry that is larger than all of it', () => {
    const it = store({ bytes: 70_000 });
    it.set(key('small'), answer('x'));
    it.set(key('large'), answer('x'.repeat(80_000)));
    expect([it.get(key('large')), it.get(key('small'))?.bytes.length]).toEqual([undefined, 1]);
  });

  it('forgets entries when their time is over, and frees their memory soon after', () => {
    jest.useFakeTimers({ now: 1_000_000 });
    const it = store({ seconds: 60 });
    it.set(key('a'), answer('a'));
    it.set(key('b'), answer('b'));
    jest.advanceTimersByTime(59_999);
    expect(it.get(key('a'))).toBeDefined();
    jest.advanceTimersByTime(2);
    expect(it.get(key('a'))).toBeUndefined();
    it.set(key('c'), answer('c'));
    expect(it.size).toBe(1);
  });

  it('clears one owner, or everybody, and says that it did', () => {
    const it = store();
    for (const ownerId of ['ada', 'adam']) it.set(key('a', ownerId), answer('a'));
    const before = it.generation;
    it.clear('ada');
    expect([it.get(key('a')), it.size]).toEqual([undefined, 1]);
    it.clear();
    expect([it.size, it.generation - before]).toEqual([0, 2]);
  });

  it('is off with no entries', () => {
    const it = store({ entries: 0 });
    it.set(key('a'), answer('a'));
    expect([it.isOn, it.get(key('a')), it.size]).toEqual([false, undefined, 0]);
    it.clear();
  });
});

describe('a kept answer', () => {
  it('has its own bytes, whoever changes or keeps the buffer they came in', () => {
    const whole = Buffer.from('a large buffer with an answer in it');
    const part = whole.subarray(23, 29);
    const kept = keptWhole(FACTS, part);
    whole.fill(0);
    expect(kept?.bytes.toString()).toBe('answer');
    expect(kept?.bytes.buffer.byteLength).toBe(6);
  });

  it('gives back the pieces it was made of', () => {
    const pieces = ['{"a":1}', '', 'käse 🧀', '\n'];
    const kept = keptPieces(FACTS, pieces);
    expect([...piecesOf(kept)]).toEqual(pieces);
    expect(kept.bytes.toString()).toBe(pieces.join(''));
  });

  it('is no larger than the bound', () => {
    expect(keptWhole(FACTS, 'x'.repeat(MAX_ANSWER_BYTES))?.bytes.length).toBe(MAX_ANSWER_BYTES);
    expect(keptWhole(FACTS, `${'x'.repeat(MAX_ANSWER_BYTES - 1)}ä`)).toBeUndefined();
    expect(keptWhole(FACTS, Buffer.alloc(MAX_ANSWER_BYTES + 1))).toBeUndefined();
  });
});
