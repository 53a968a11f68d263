/** Measuring routing: files are read or refused, a policy sees nothing of the test, and the figures mean what they say. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promptSketch, type TaskProfile } from '../../../src/analysis/index';
import { TASK_TYPES } from '../../../src/common/index';
import { packageRoot } from '../../../src/config/index';
import {
  rankByTarget,
  fitCapabilities,
  FittedCapabilityTable,
  outcomeProfile,
  worthOf,
} from '../../../src/scoring/index';
import { aProfile } from '../../support/factories';

interface Prompt {
  readonly id: string;
  readonly taskType: string;
  readonly dataset: string;
  readonly text?: string;
  readonly outcomes: ReadonlyMap<string, Outcome>;
  profile?: TaskProfile;
}
interface Outcome {
  readonly score: number;
  readonly costUsd: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
}
interface Pool {
  readonly name: string;
  readonly models: readonly string[];
  readonly prompts: readonly Prompt[];
  readonly leftOut: number;
}
interface Policy {
  readonly kind: string;
  readonly choose: (prompt: Prompt) => string;
}
interface Share {
  readonly quality: number;
  readonly costSaved: number;
}
interface Figures {
  readonly router: Share;
  readonly quality: readonly [number, number];
  readonly shuffle: Share;
  readonly shuffleQuality: readonly [number, number];
  readonly difference: { readonly interval: readonly [number, number] };
  readonly cheapest: Share;
  readonly random: Share;
  readonly oracle: Share;
  readonly dollarsSaved: number;
}
interface Data {
  readOutcomes: (file: string, types: readonly string[]) => Map<string, Pool>;
}
interface Policies {
  RoutingPolicies: new (
    product: object,
    options: { quality: number; readsPrompts: boolean; seed: number },
  ) => { freeze: (pool: Pick<Pool, 'models' | 'prompts'>) => Policy };
}
interface Report {
  outcomeOf: (pool: Pool, policy: Pick<Policy, 'choose'>) => object;
  figures: (outcomes: readonly object[], seed: number) => Figures;
  asJson: (figures: Figures) => Record<string, number>;
  describe: (name: string, figures: Figures) => string;
}
interface Split {
  splitPools: (
    pools: Map<string, Pool>,
    options: { split: number; by: string; seed: number },
  ) => readonly [Map<string, Pool>, Map<string, Pool>];
}

const load = async <T>(name: string) =>
  (await import(path.join(packageRoot(), 'scripts', 'lib', `${name}.mjs`))) as T;

const HEADER = 'pool,prompt_id,task_type,dataset,model,score,cost_usd,in_tokens,out_tokens';
const product = {
  rankByTarget,
  fitCapabilities,
  FittedCapabilityTable,
  outcomeProfile,
  worthOf,
  scores: Object.fromEntries(TASK_TYPES.map((type) => [type, 0.5])),
};

describe('outcomes in a file', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'routing-'));
  const file = path.join(folder, 'made-up.csv');
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (...lines: readonly string[]) => writeFileSync(file, [HEADER, ...lines, ''].join('\n'));
  const read = async () => (await load<Data>('routing-data')).readOutcomes(file, TASK_TYPES);

  it('are read pool by pool, with their prompts', async () => {
    write(
      'one,a,MATH,sums,small,0.5,0.001,10,5',
      'one,a,MATH,sums,"large, new",1,0.01,10,6',
      'two,a,GENERAL,talk,small,0,0.002,3,4',
      'one,b,MATH,sums,small,1,0.001,9,5',
    );
    writeFileSync(
      path.join(folder, 'made-up_prompts.jsonl'),
      '{"pool":"one","prompt_id":"a","prompt":"1 + 1"}\n',
    );
    const pools = await read();
    const one = pools.get('one');
    expect(one?.models).toEqual(['large, new', 'small']);
    expect(one?.prompts.map(({ id, text, taskType }) => [id, text, taskType])).toEqual([
      ['a', '1 + 1', 'MATH'],
    ]);
    expect(one?.leftOut).toBe(1);
    expect(one?.prompts[0]?.outcomes.get('large, new')).toEqual({
      score: 1,
      costUsd: 0.01,
      promptTokens: 10,
      completionTokens: 6,
    });
    expect(pools.get('two')?.prompts[0]?.text).toBeUndefined();
  });

  it.each([
    ['one,a,MATH,sums,small,1.5,0.001,10,5', /made-up\.csv:2 score: .*from 0 to 1, is "1\.5"/],
    ['one,a,MATH,sums,small,1,free,10,5', /:2 cost_usd: .*"free"/],
    ['one,a,MATH,sums,small,1,0.1,,5', /:2 in_tokens: is empty/],
    ['one,a,SUMS,sums,small,1,0.1,1,5', /:2 task_type: must be one of CODE_GENERATION.*"SUMS"/],
    ['one,a,MATH,sums,small,1', /:2 has 6 columns instead of 9/],
  ])('are refused with the place: %s', async (line, message) => {
    write(line);
    await expect(read()).rejects.toThrow(message);
  });

  it('are refused when they come twice, or not at all', async () => {
    write('one,a,MATH,sums,small,1,0.1,1,5', 'one,a,MATH,sums,small,0,0.1,1,5');
    await expect(read()).rejects.toThrow(':3 model: small has answered a before');
    write();
    await expect(read()).rejects.toThrow('has no rows');
    writeFileSync(file, 'pool,model\n');
    await expect(read()).rejects.toThrow(':1 lacks the column prompt_id');
  });
});

/** A small model that adds as well as the large one, and knows nothing. */
function aPool(count = 120): Pool {
  const outcome = (score: number, costUsd: number): Outcome => ({
    score,
    costUsd,
    promptTokens: 10,
    completionTokens: 10,
  });
  const prompts = Array.from({ length: count }, (_, index) => {
    const isSum = index % 2 === 0;
    const profile: TaskProfile = {
      ...aProfile(),
      taskType: isSum ? 'MATH' : 'GENERAL',
      confidence: 0.9,
      sketch: promptSketch(
        isSum ? `how much is ${index} plus ${index}` : `who was the mother of king ${index}`,
      ),
    };
    return {
      id: `p${index}`,
      taskType: profile.taskType,
      dataset: `set${index % 6}`,
      profile,
      outcomes: new Map([
        ['large', outcome(index % 10 === 0 ? 0 : 1, 0.01)],
        ['small', outcome(isSum && index % 10 !== 0 ? 1 : 0, 0.001)],
      ]),
    };
  });
  return { name: 'made up', models: ['large', 'small'], prompts, leftOut: 0 };
}

describe('a policy that is frozen on outcomes', () => {
  const freeze = async (pool: Pool, using: object = product) => {
    const { RoutingPolicies } = await load<Policies>('routing-policy');
    return new RoutingPolicies(using, { quality: 0.99, readsPrompts: true, seed: 1 }).freeze(pool);
  };

  it('sends to the cheaper model what it does as well, and says so in figures', async () => {
    const { figures, outcomeOf, asJson, describe: described } = await load<Report>('routing-report');
    const policy = await freeze(aPool());
    const found = figures([outcomeOf(aPool(60), policy)], 1);
    expect(found.router).toEqual({ quality: 1, costSaved: expect.closeTo(0.45, 5) as number });
    expect(found.dollarsSaved).toBeCloseTo(0.45, 5);
    expect(found.quality[0]).toBeLessThanOrEqual(1);
    expect(found.shuffle.quality).toBeLessThan(0.85);
    expect(found.difference.interval[0]).toBeGreaterThan(0);
    // Half of the prompts are sums, of which a fifth nobody solves: 24 of 54.
    expect(found.cheapest.quality).toBeCloseTo(24 / 54, 10);
    expect(found.random.quality).toBeCloseTo((24 + 54) / 2 / 54, 10);
    expect(found.oracle).toEqual({
      quality: 1,
      costSaved: expect.closeTo(0.45, 5) as number,
    });
    expect(asJson(found)).toMatchObject({ quality: 1, bestSingleQuality: 1, cheapestQuality: 24 / 54 });
    expect(described('made up', found)).toMatch(/cost-matched shuffle/);
  });

  it('gives everything to the best single model when nothing cheaper holds the target', async () => {
    const pool = aPool();
    const hard = pool.prompts.map((prompt) => ({
      ...prompt,
      outcomes: new Map(
        [...prompt.outcomes].map(([id, one]) => [id, id === 'small' ? { ...one, score: 0 } : one]),
      ),
    }));
    const policy = await freeze({ ...pool, prompts: hard });
    expect(new Set(pool.prompts.map((prompt) => policy.choose(prompt)))).toEqual(new Set(['large']));
  });

  it('chooses by the profile alone', async () => {
    const policy = await freeze(aPool());
    const [prompt] = aPool().prompts;
    const unseen = { profile: prompt?.profile } as Prompt;
    expect(policy.choose(unseen)).toBe('small');
  });

  it('learns from which data set each outcome came, and is not told it of what it chooses for', async () => {
    const told = new Set<string | undefined>();
    const watched = {
      ...product,
      fitCapabilities: async (...[rows, priorOf]: Parameters<typeof fitCapabilities>) => {
        for (const { dataset } of rows) told.add(dataset);
        return await fitCapabilities(rows, priorOf);
      },
    };
    const policy = await freeze(aPool(), watched);
    expect(told).toEqual(new Set(aPool().prompts.map(({ dataset }) => dataset)));
    const relabelled = aPool().prompts.map((prompt) => ({ ...prompt, dataset: 'unheard of' }));
    const choices = (prompts: readonly Prompt[]) => prompts.map((prompt) => policy.choose(prompt));
    expect(choices(relabelled)).toEqual(choices(aPool().prompts));
  });

  it('is frozen the same every time', async () => {
    const [one, other] = [await freeze(aPool()), await freeze(aPool())];
    const choices = (policy: Policy) => aPool(40).prompts.map((prompt) => policy.choose(prompt));
    expect(choices(one)).toEqual(choices(other));
  });
});

describe('a split', () => {
  it('has every prompt on one side, and every dataset when it goes by dataset', async () => {
    const { splitPools } = await load<Split>('routing-split');
    for (const by of ['prompt', 'dataset']) {
      const sides = splitPools(new Map([['made up', aPool()]]), { split: 0.5, by, seed: 1 });
      const [first, second] = sides.map((side) => side.get('made up')?.prompts ?? []);
      const keys = (prompts: readonly Prompt[] = []) =>
        new Set(prompts.map(({ id, dataset }) => (by === 'dataset' ? dataset : id)));
      expect(keys(first).size).toBe(by === 'dataset' ? 3 : 60);
      expect([...keys(first)].filter((key) => keys(second).has(key))).toEqual([]);
      expect((first?.length ?? 0) + (second?.length ?? 0)).toBe(120);
    }
  });
});
