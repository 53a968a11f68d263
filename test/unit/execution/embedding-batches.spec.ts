import { batchLimits, inputTokens, splitInputs } from '../../../src/execution/embedding-batches';
import { EmbeddingState } from '../../../src/execution/embedding-state';
import { inTurns } from '../../../src/execution/in-turns';
import { longInputs } from '../../../src/execution/long-inputs';
import { encodeVector, lengthOf } from '../../../src/execution/vector';
import type { PlannedModel } from '../../../src/selection/index';
import { aContext, aModel, aPlanned } from '../../support/factories';

const FACTS = {
  takesTokens: true,
  hasInputTypes: false,
  cutsLongTexts: false,
  hasBase64: false,
  quality: 0.5,
};

function split(inputs: readonly (string | readonly number[])[], maxBatch: number, maxBatchTokens?: number) {
  const batches = splitInputs(inputs, inputs.map(inputTokens), { maxBatch, maxBatchTokens });
  return batches.map(({ start, inputs: own }) => [start, own.length]);
}

function stateOf(candidates: readonly PlannedModel[], inputs: readonly string[]): EmbeddingState {
  return new EmbeddingState(
    aContext(),
    { model: 'openai/e', inputs, encoding: 'float', extra: {} },
    {
      decisionId: 'd',
      strategy: 'pinned',
      candidates,
      ranking: [],
      filtered: [],
      warnings: [],
      providers: [],
      catalogVersion: 'c',
    },
  );
}

describe(splitInputs.name, () => {
  it.each([
    [1, 96, [[0, 1]]],
    [96, 96, [[0, 96]]],
    [
      97,
      96,
      [
        [0, 96],
        [96, 1],
      ],
    ],
    [
      3,
      1,
      [
        [0, 1],
        [1, 1],
        [2, 1],
      ],
    ],
  ])('splits %i inputs by batches of %i', (count, maxBatch, expected) => {
    expect(split(Array<string>(count).fill('x'), maxBatch)).toEqual(expected);
  });

  it('counts what the tokens of a batch can be at most, and leaves one that is too long alone', () => {
    // 10 bytes and the overhead of 8 are 18.
    const ten = 'x'.repeat(10);
    expect(split([ten, ten, ten], 10, 36)).toEqual([
      [0, 2],
      [2, 1],
    ]);
    expect(split([ten, 'x'.repeat(100), ten], 10, 36)).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
  });

  it('never bounds below a token per byte, and takes token ids as they are', () => {
    expect(inputTokens('äöü').bound).toBeGreaterThanOrEqual(6);
    expect(inputTokens([1, 2, 3]).estimated).toBe(3);
  });
});

describe(batchLimits.name, () => {
  const facts = { ...FACTS, maxBatch: 2048, maxBatchTokens: 300_000 };
  const ANSWER_BYTES = 16 * 1024 * 1024;

  it.each([
    ['numbers', { dimensions: 3072 }, undefined, 170],
    ['packed vectors', { dimensions: 3072, hasBase64: true }, undefined, 1016],
    ['short vectors, as asked for', { dimensions: 3072 }, 8, 2048],
    ['vectors of an unknown length', {}, undefined, 127],
    ['vectors of which one is too much', { dimensions: 100_000 }, 1_000_000, 1],
  ])('bounds a batch of %s', (_, more, asked, maxBatch) => {
    expect(batchLimits({ ...facts, ...more }, asked)).toEqual({ maxBatch, maxBatchTokens: 300_000 });
  });

  it.each([
    ['numbers, indented', false, (numbers: number[]) => numbers],
    ['packed', true, (numbers: number[]) => encodeVector(numbers, 'base64')],
  ])('has room for the whole answer: %s', (_, hasBase64, encode) => {
    const { maxBatch } = batchLimits({ ...facts, dimensions: 1536, hasBase64 }, undefined);
    const embedding = encode(Array<number>(1536).fill(-0.0012345678901234567));
    const item = { object: 'embedding', index: maxBatch, embedding };
    const [, ...lines] = JSON.stringify({ data: [item] }, null, 2)
      .split('\n')
      .slice(1);
    expect(lines.join('\n').length * maxBatch).toBeLessThan(ANSWER_BYTES);
  });

  it('splits a request for one seller by what that one answers with', () => {
    const embedding = { ...FACTS, maxBatch: 2048, dimensions: 3072 };
    const packing = aPlanned({ id: 'openai/e', embedding: { ...embedding, hasBase64: true } });
    const other = aPlanned({ id: 'azure/e', embedding });
    const inputs = Array<string>(1100).fill('a');
    const own = stateOf([packing, other], inputs);

    expect(own.workOf(packing).batches.map((batch) => batch.inputs.length)).toEqual([1016, 84]);
    expect(own.workOf(other).batches).toHaveLength(7);
  });
});

describe(EmbeddingState.name, () => {
  const planned = aPlanned({ id: 'openai/e', embedding: { ...FACTS, maxBatch: 2 } });
  const other = aPlanned({ id: 'azure/e', embedding: { ...FACTS, maxBatch: 2 } });
  const state = () => stateOf([planned, other], ['a', 'b', 'c']);

  it('asks money only for what has not come, and for all of it at another seller', () => {
    const own = state();
    const whole = own.tokens.boundPromptTokens;
    const work = own.workOf(planned);
    const [first] = work.open;
    if (!first) throw new Error('no batch');
    work.deliver(first, [[1], [2]], { promptTokens: 2, completionTokens: 0 });

    expect(own.tokens.boundPromptTokens).toBe(whole - first.tokens.bound);
    expect(own.totals.usage).toMatchObject({ promptTokens: 2 });
    own.exclude(planned);
    expect(own.tokens.boundPromptTokens).toBe(whole);
    expect(own.totals.usage).toEqual({});
    expect(own.workOf(other).vectors.every((vector) => vector === undefined)).toBe(true);
  });

  it('tells the tokens of one upstream request', () => {
    const own = state();
    const [first, second] = own.workOf(planned).open;
    expect(own.upstreamTokens.boundPromptTokens).toBe(first?.tokens.bound);
    own.next = second;
    expect(own.upstreamTokens.boundPromptTokens).toBe(second?.tokens.bound);
  });
});

describe(inTurns.name, () => {
  it('never runs more at once than it may, and all of them', async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    await inTurns([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      done.push(item);
    });
    expect([most, new Set(done)]).toEqual([3, new Set([1, 2, 3, 4, 5, 6, 7])]);
  });

  it('begins nothing after a failure, waits for what runs and throws the first', async () => {
    const ended: number[] = [];
    const work = inTurns([1, 2, 3, 4], 2, async (item) => {
      if (item === 1) throw new Error('first');
      await new Promise((resolve) => setImmediate(resolve));
      ended.push(item);
    });
    await expect(work).rejects.toThrow('first');
    expect(ended).toEqual([2]);
  });
});

describe(encodeVector.name, () => {
  const numbers = [0.5, -0.25, 3];
  const packed = Buffer.from(new Float32Array(numbers).buffer).toString('base64');

  it('turns one form into the other and passes on what fits', () => {
    expect(encodeVector(numbers, 'base64')).toBe(packed);
    expect(encodeVector(packed, 'float')).toEqual(numbers);
    expect(encodeVector(numbers, 'float')).toBe(numbers);
    expect(encodeVector(packed, 'base64')).toBe(packed);
  });

  it('knows the length of both', () => {
    expect([lengthOf(numbers), lengthOf(packed)]).toEqual([3, 3]);
  });
});

describe(longInputs.name, () => {
  const model = aModel({
    embedding: { ...FACTS, maxBatch: 1, cutsLongTexts: true },
    contextWindowTokens: 10,
  });

  it('names the first text that a provider may cut, where it cuts', () => {
    const inputs = ['short', 'x'.repeat(100)];
    expect(longInputs(inputs, model)).toEqual([expect.stringContaining('input[1]')]);
    expect(longInputs(['short'], model)).toEqual([]);
    const refusing = aModel({ embedding: { ...FACTS, maxBatch: 1 }, contextWindowTokens: 10 });
    expect(longInputs(inputs, refusing)).toEqual([]);
  });
});
