import type { TaskProfile } from '../../../src/analysis/index';
import { promptSketch } from '../../../src/analysis/index';
import { TASK_TYPES, type TaskType } from '../../../src/common/index';
import { MAX_DATASETS } from '../../../src/scoring/capabilities/capability-content';
import { MAX_EXAMPLES } from '../../../src/scoring/capabilities/capability-fit';
import type { OutcomeRow } from '../../../src/scoring/capabilities/outcome-row';
import {
  CapabilityTable,
  fitCapabilities,
  FittedCapabilityTable,
  outcomeProfile,
} from '../../../src/scoring/index';
import { aModel, aProfile } from '../../support/factories';
import { Random } from '../../support/proof/random';

const PRIOR = 0.5;
const scores = Object.freeze(
  Object.fromEntries(TASK_TYPES.map((type) => [type, PRIOR])) as Record<TaskType, number>,
);
const model = aModel({ id: 'openai/tried', baseModel: 'tried', scores });

const typed = (taskType: TaskType, more: Partial<TaskProfile> = {}): TaskProfile => ({
  ...aProfile(),
  taskType,
  confidence: 1,
  secondary: [],
  ...more,
});

const row = (taskType: TaskType, mean: number, more: Partial<OutcomeRow> = {}): OutcomeRow => ({
  model: 'tried',
  taskType,
  count: 1,
  mean,
  sumOfSquares: mean * mean * (more.count ?? 1),
  ...more,
});

async function fit(rows: readonly OutcomeRow[], version = 'fitted'): Promise<FittedCapabilityTable> {
  const content = await fitCapabilities(rows, (name) => (name === 'tried' ? scores : undefined));
  return await FittedCapabilityTable.parse(version, JSON.parse(JSON.stringify(content)));
}

const qualityOf = (table: CapabilityTable, profile: TaskProfile) => table.estimate(model, profile).quality;

/** Outcomes of several models with tasks of all kinds. */
function randomRows(seed: number, count = 60): OutcomeRow[] {
  const random = new Random(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)] as T;
  return Array.from({ length: count }, () => {
    const taskType = pick(TASK_TYPES);
    const words = Array.from({ length: 6 }, () => `word${Math.floor(random.next() * 30)}`).join(' ');
    const profile = {
      types: [
        { taskType, confidence: 0.4 + random.next() / 2 },
        { taskType: pick(TASK_TYPES), confidence: random.next() / 10 },
      ],
      complexity: random.next(),
      language: pick(['en', 'zh', 'und']),
      promptTokens: Math.floor(random.next() * 3_000),
      hasCode: random.next() < 0.3,
      sketch: promptSketch(words),
    };
    const mean = Math.round(random.next() * 100) / 100;
    const dataset = pick([undefined, 'orders', 'claims']);
    const more = random.next() < 0.6 ? { profile, dataset } : { count: 1 + Math.floor(random.next() * 20) };
    return row(taskType, mean, { model: pick(['tried', 'other', 'unheard']), ...more });
  });
}

function shuffled<T>(list: readonly T[], seed: number): T[] {
  const random = new Random(seed);
  return list
    .map((value) => ({ value, at: random.next() }))
    .sort((one, other) => one.at - other.at)
    .map(({ value }) => value);
}

describe(CapabilityTable.name, () => {
  it('is the prior of the catalog before anything is learned', () => {
    const special = { ...model, scores: { ...scores, MATH: 0.9 } };
    const estimate = CapabilityTable.prior.estimate(special, typed('MATH'));
    expect(estimate).toEqual({ quality: 0.9, deviation: 0, observations: 0 });
  });
});

describe(FittedCapabilityTable.name, () => {
  it('knows no more than the prior of models without outcomes', async () => {
    const table = await fit([row('MATH', 0, { count: 500 })]);
    const stranger = aModel({ id: 'openai/stranger', baseModel: 'stranger', scores });
    expect(table.estimate(stranger, typed('MATH'))).toEqual({
      quality: PRIOR,
      deviation: 0,
      observations: 0,
    });
  });

  it('stays near the prior after few observations', async () => {
    const quality = qualityOf(await fit([row('MATH', 1)]), typed('MATH'));
    expect(quality).toBeGreaterThan(PRIOR);
    expect(quality).toBeLessThan(PRIOR + 0.2);
  });

  it('reaches the mean of many', async () => {
    const table = await fit([row('MATH', 0.9, { count: 1_000 }), row('GENERAL', 0.3, { count: 1_000 })]);
    expect(qualityOf(table, typed('MATH'))).toBeCloseTo(0.9, 1);
    expect(qualityOf(table, typed('GENERAL'))).toBeCloseTo(0.3, 1);
    expect(table.estimate(model, typed('MATH')).observations).toBe(2_000);
  });

  it('moves types that nobody observed with the general level, by less than those that somebody did', async () => {
    const table = await fit([row('MATH', 0.9, { count: 50 }), row('GENERAL', 0.9, { count: 50 })]);
    const unseen = qualityOf(table, typed('TRANSLATION'));
    expect(unseen).toBeGreaterThan(PRIOR + 0.05);
    expect(unseen).toBeLessThan(qualityOf(table, typed('MATH')));
  });

  it('is surer the more it has seen, and least sure of what it has not', async () => {
    const tables = await Promise.all([1, 10, 100, 1_000].map((count) => fit([row('MATH', 0.6, { count })])));
    const deviations = tables.map((table) => table.estimate(model, typed('MATH')).deviation);
    expect(deviations).toEqual([...deviations].sort((one, other) => other - one));
    const table = await fit([row('MATH', 0.6, { count: 100 })]);
    expect(table.estimate(model, typed('TRANSLATION')).deviation).toBeGreaterThan(
      table.estimate(model, typed('MATH')).deviation,
    );
  });

  it('learns from sums what it learns from single outcomes', async () => {
    const single = [1, 0, 1, 1, 0.5].map((mean) => row('CLASSIFICATION', mean));
    const summed = row('CLASSIFICATION', 0.7, { count: 5, sumOfSquares: 3.25 });
    const [one, other] = [await fit(single), await fit([summed])].map((table) =>
      table.estimate(model, typed('CLASSIFICATION')),
    );
    expect(one?.quality).toBeCloseTo(other?.quality ?? 0, 5);
    expect(one?.deviation).toBeCloseTo(other?.deviation ?? 0, 5);
  });

  it('tells prompts of one type apart by what alike prompts came to', async () => {
    const asked = (text: string) => typed('GENERAL', { sketch: promptSketch(text) });
    const learned = (text: string, mean: number) =>
      row('GENERAL', mean, { profile: outcomeProfile(asked(text)) });
    const names = ['paris', 'oslo', 'lima', 'cairo', 'delhi', 'quito', 'rome', 'bern'];
    const table = await fit([
      ...names.map((name) => learned(`how many people live in ${name} today?`, 1)),
      ...names.map((name) => learned(`name a poet who was born near ${name}`, 0)),
    ]);
    const known = qualityOf(table, asked('how many people live in tokyo today?'));
    const hard = qualityOf(table, asked('name a poet who was born near tokyo'));
    expect(known).toBeGreaterThan(hard + 0.3);
  });

  describe('told which data set outcomes came from', () => {
    const random = new Random(7);
    const letter = () => 'cdefghiklmnop'[Math.floor(random.next() * 13)] ?? '';
    /** One of 169. */
    const word = () => letter() + letter();
    const text = (topic: string) => Array.from({ length: 6 }, () => topic + word()).join(' ');
    const asked = (topic: string) => typed('GENERAL', { sketch: promptSketch(text(topic)) });
    /** Two of them, of words of their own; what one model can do of the first it cannot do of the second. */
    const rowsOf = (isTold: boolean) =>
      ['a', 'b'].flatMap((dataset) =>
        Array.from({ length: 60 }, () =>
          row('GENERAL', dataset === 'a' ? 1 : 0, {
            profile: outcomeProfile(asked(dataset)),
            ...(isTold && { dataset }),
          }),
        ),
      );

    it('expects of a prompt what the data set came to that it seems to be from', async () => {
      const [told, untold] = [await fit(rowsOf(true)), await fit(rowsOf(false))];
      const gap = (table: CapabilityTable) =>
        [1, 2, 3, 4, 5, 6, 7, 8].reduce(
          (sum) => sum + qualityOf(table, asked('a')) - qualityOf(table, asked('b')),
          0,
        ) / 8;
      expect(gap(told)).toBeGreaterThan(gap(untold) + 0.1);
    });

    it('expects of a prompt that is unlike them what the task itself says, and calls it novel', async () => {
      const table = await fit(rowsOf(true));
      const strange = asked('z');
      expect(table.isNovel(strange)).toBe(true);
      expect(qualityOf(table, strange)).toBe(qualityOf(table, { ...strange, sketch: undefined }));
      const known = Array.from({ length: 20 }, () => asked('a')).filter((task) => !table.isNovel(task));
      expect(known.length).toBeGreaterThan(12);
      for (const task of known)
        expect(qualityOf(table, task)).not.toBe(qualityOf(table, { ...task, sketch: undefined }));
    });

    it('calls nothing novel where nobody told, nor without a sketch', async () => {
      expect((await fit(rowsOf(false))).isNovel(asked('z'))).toBe(false);
      expect((await fit(rowsOf(true))).isNovel(typed('GENERAL'))).toBe(false);
      expect(CapabilityTable.prior.isNovel(asked('z'))).toBe(false);
    });

    it('keeps a number for it, not its name, and the same whatever the order', async () => {
      const rows = [...rowsOf(true), ...rowsOf(true).slice(0, 10)];
      const { examples } = await fitCapabilities(rows, () => scores);
      expect(new Set(examples.map(({ dataset }) => dataset))).toEqual(new Set([0, 1]));
      expect((await fitCapabilities(shuffled(rows, 2), () => scores)).examples).toEqual(examples);
    });

    it('goes by the name that comes first where several have the same prompt', async () => {
      const profile = outcomeProfile(asked('a'));
      const rows = ['z', undefined, 'b', 'c'].map((dataset) => row('GENERAL', 1, { profile, dataset }));
      const others = ['b', 'z', 'z'].map((dataset) =>
        row('GENERAL', 1, { profile: outcomeProfile(asked('b')), dataset }),
      );
      for (const seed of [1, 2, 3, 4]) {
        const content = await fitCapabilities(shuffled([...rows, ...others], seed), () => scores);
        const key = profile.sketch?.join();
        // Two examples are of "b", two of "z".
        expect(content.examples.find(({ sketch }) => sketch.join() === key)?.dataset).toBe(0);
      }
    });

    it('tells no more of them apart than it can afford to, the largest first', async () => {
      const many = Array.from({ length: MAX_DATASETS + 5 }, (_, index) =>
        row('GENERAL', 1, {
          profile: outcomeProfile(typed('GENERAL', { sketch: [index] })),
          dataset: `set ${String(index).padStart(3, '0')}`,
        }),
      );
      const large = row('GENERAL', 1, {
        profile: outcomeProfile(typed('GENERAL', { sketch: [4_000] })),
        dataset: `set ${MAX_DATASETS + 4}`,
      });
      const { examples } = await fitCapabilities([...many, large], () => scores);
      const numbers = examples.flatMap(({ dataset = -1 }) => (dataset < 0 ? [] : [dataset]));
      expect(Math.max(...numbers)).toBe(MAX_DATASETS - 1);
      expect(numbers.filter((number) => number === 0)).toHaveLength(2);
      expect(examples.length - numbers.length).toBe(5);
    });
  });

  it('does not depend on the order of the outcomes', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const rows = randomRows(seed);
      const written = async (list: readonly OutcomeRow[]) =>
        JSON.stringify(await fitCapabilities(list, () => scores));
      expect(await written(shuffled(rows, seed))).toBe(await written(rows));
    }
  });

  it('estimates the same for the same, always between 0 and 1', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const rows = randomRows(seed);
      const [table, again] = [await fit(rows), await fit(rows)];
      for (const { profile, taskType } of rows) {
        const task = typed(taskType, { sketch: profile?.sketch });
        const estimate = table.estimate(model, task);
        expect(again.estimate(model, { ...task })).toEqual(estimate);
        expect(estimate.quality).toBeGreaterThanOrEqual(0);
        expect(estimate.quality).toBeLessThanOrEqual(1);
        expect(estimate.deviation).toBeGreaterThan(0);
      }
    }
  });

  it('keeps a bounded number of examples, the same whatever their order', async () => {
    const profile = outcomeProfile(typed('MATH'));
    const rows = Array.from({ length: MAX_EXAMPLES + 50 }, (_, index) =>
      row('MATH', 1, { profile: { ...profile, sketch: [index % 4_096, 4_095 - (index % 7)] } }),
    );
    const { examples } = await fitCapabilities(rows, () => scores);
    expect(examples.length).toBe(MAX_EXAMPLES);
    expect((await fitCapabilities(shuffled(rows, 3), () => scores)).examples).toEqual(examples);
  });

  describe('with a clock that goes on by one whenever it is read', () => {
    let [now, turns] = [0, 0];
    let next: NodeJS.Immediate;
    const turn = () => {
      turns += 1;
      next = setImmediate(turn);
    };
    beforeEach(() => {
      jest.spyOn(performance, 'now').mockImplementation(() => (now += 1));
      turn();
    });
    afterEach(() => {
      clearImmediate(next);
      jest.restoreAllMocks();
    });

    it('lets others have their turn after a few rows, and after a few examples', async () => {
      const profile = outcomeProfile(typed('MATH'));
      const rows = Array.from({ length: 300 }, (_, index) =>
        row('MATH', 1, { profile: { ...profile, sketch: [index, index + 1] } }),
      );
      // Of seven steps with each row, and of four with each example, one in five ends a piece.
      turns = 0;
      const content = await fitCapabilities(rows, () => scores);
      expect(turns).toBeGreaterThan(1.3 * rows.length);
      turns = 0;
      await FittedCapabilityTable.parse('fitted', content);
      expect(turns).toBeGreaterThan(0.75 * rows.length);
    });
  });

  const EXAMPLE = { sketch: [1, 4_095], differences: { tried: 0.5 }, dataset: 0 };

  it.each<readonly [content: unknown, message: RegExp]>([
    [undefined, /expected object/],
    [{}, /format/],
    [{ format: 2, models: {}, examples: [] }, /format/],
    [{ format: 1, models: {} }, /examples/],
    [{ format: 1, models: {}, examples: [], more: 1 }, /more/],
    [{ format: 1, models: { tried: {} }, examples: [] }, /models\.tried: [^]*observations/],
  ])('refuses what no fit has made: %j', async (content, message) => {
    await expect(FittedCapabilityTable.parse('broken', content)).rejects.toThrow(message);
  });

  it.each<readonly [example: unknown, message: RegExp]>([
    [null, /examples\.1 must have a sketch, differences and perhaps a dataset only/],
    [{ sketch: [1] }, /examples\.1 must have/],
    [{ ...EXAMPLE, more: 1 }, /examples\.1 must have/],
    [{ ...EXAMPLE, sketch: [4_096] }, /examples\.1\.sketch must be whole numbers from 0 to 4095/],
    [{ ...EXAMPLE, sketch: [-1] }, /examples\.1\.sketch/],
    [{ ...EXAMPLE, sketch: [0.5] }, /examples\.1\.sketch/],
    [{ ...EXAMPLE, sketch: ['1'] }, /examples\.1\.sketch/],
    [{ ...EXAMPLE, sketch: '1' }, /examples\.1\.sketch/],
    [{ ...EXAMPLE, differences: { tried: null } }, /examples\.1\.differences must be numbers by model/],
    [{ ...EXAMPLE, differences: [1] }, /examples\.1\.differences/],
    [{ ...EXAMPLE, dataset: MAX_DATASETS }, /examples\.1\.dataset must be a whole number from 0 to 127/],
    [{ ...EXAMPLE, dataset: -1 }, /examples\.1\.dataset/],
    [{ ...EXAMPLE, dataset: 'orders' }, /examples\.1\.dataset/],
  ])('refuses an example that no fit has made: %j', async (example, message) => {
    const content = { format: 1, models: {}, examples: [EXAMPLE, example] };
    await expect(FittedCapabilityTable.parse('broken', content)).rejects.toThrow(message);
  });
});
