import { newId, type Principal } from '../../../src/common/index';
import type { Notifications } from '../../../src/database/index';
import { armOf } from '../../../src/selection/experiments/arm-of';
import type { Experiment, ExperimentArm } from '../../../src/selection/experiments/experiment';
import { Experiments } from '../../../src/selection/experiments/experiments.service';
import type { ExperimentsRepository } from '../../../src/selection/experiments/experiments.repository';
import { aContext } from '../../support/factories';

const TWO: readonly ExperimentArm[] = [
  { name: 'as it is', weight: 1, strategy: 'auto' },
  { name: 'cheap', weight: 1, strategy: 'cheap' },
];

function anExperiment(overrides: Partial<Experiment> = {}): Experiment {
  return {
    id: '01a00000-0000-7000-8000-000000000001',
    name: 'test',
    status: 'running',
    strategy: 'auto',
    arms: TWO,
    stickyBy: 'key',
    share: 1,
    createdAt: new Date(0),
    updatedAt: new Date(0),
    startedAt: new Date(0),
    ...overrides,
  };
}

/** The same ids in every run, so that what is counted is the same too. */
const CALLERS = Array.from(
  { length: 100_000 },
  (_, index) => `01a00000-0000-7000-9000-${index.toString(16).padStart(12, '0')}`,
);

const SOME = CALLERS.slice(0, 20_000);

function countsOf(experiment: Experiment, callers = SOME): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const caller of callers) {
    const name = armOf(experiment, caller)?.name ?? 'outside';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe(armOf.name, () => {
  it('splits 100,000 callers by the weights, within 1 % of all', () => {
    const arms = [1, 2, 3, 3.5, 0.5].map((weight, index) => ({ ...TWO[0], name: `${index}`, weight }));
    const counts = countsOf(anExperiment({ arms: arms as ExperimentArm[] }), CALLERS);
    for (const { name, weight } of arms) {
      expect(Math.abs((counts[name] ?? 0) / CALLERS.length - weight / 10)).toBeLessThan(0.01);
    }
  });

  it('takes the share of them, and splits that by the weights as well', () => {
    const counts = countsOf(anExperiment({ share: 0.3 }), CALLERS);
    const expected = { outside: 0.7, 'as it is': 0.15, cheap: 0.15 };
    for (const [name, part] of Object.entries(expected)) {
      expect(Math.abs((counts[name] ?? 0) / CALLERS.length - part)).toBeLessThan(0.01);
    }
  });

  it('takes nobody with a share of 0 and everybody with 1', () => {
    expect(countsOf(anExperiment({ share: 0 }))).toEqual({ outside: SOME.length });
    expect(countsOf(anExperiment())).not.toHaveProperty('outside');
  });

  it('gives everybody the arm they had when the share grows', () => {
    const [small, large] = [anExperiment({ share: 0.2 }), anExperiment({ share: 0.6 })];
    const inside = SOME.filter((caller) => armOf(small, caller));
    expect(inside.length).toBeGreaterThan(3_800);
    const moved = inside.filter((caller) => armOf(small, caller)?.name !== armOf(large, caller)?.name);
    expect(moved).toEqual([]);
  });

  it('mixes anew for every experiment', () => {
    const other = anExperiment({ id: '01a00000-0000-7000-8000-000000000002' });
    const alike = SOME.filter((caller) => armOf(other, caller)?.name === armOf(anExperiment(), caller)?.name);
    expect(Math.abs(alike.length / SOME.length - 0.5)).toBeLessThan(0.01);
  });

  it('is the same in every process and version: these never change', () => {
    const arms = CALLERS.slice(0, 8).map((caller) => armOf(anExperiment(), caller)?.name);
    expect(arms).toEqual(['cheap', 'cheap', 'cheap', 'cheap', 'cheap', 'as it is', 'cheap', 'as it is']);
  });
});

describe(Experiments.name, () => {
  async function assigning(...running: Experiment[]): Promise<Experiments> {
    const repository: Pick<ExperimentsRepository, 'running'> = { running: () => Promise.resolve(running) };
    const experiments = new Experiments(
      repository as ExperimentsRepository,
      { on: () => () => undefined, onReconnect: () => undefined } as Partial<Notifications> as Notifications,
    );
    await experiments.now();
    return experiments;
  }

  const by = (principal: Partial<Principal>) =>
    aContext({ principal: { userId: newId(), role: 'operator', ...principal } });
  const ASKED = { strategy: 'auto', taskType: 'MATH' } as const;
  const KEYS = Array.from({ length: 50 }, () => newId());

  it('gives nobody anything without an experiment', async () => {
    expect((await assigning()).assign(aContext(), ASKED)).toBeUndefined();
  });

  it('gives a key the same arm whoever asks when, and its keyless owner the arm of the user', async () => {
    const [one, other] = [await assigning(anExperiment()), await assigning(anExperiment())];
    const userId = newId();
    for (const keyId of KEYS) {
      const arm = one.assign(by({ userId, keyId }), ASKED);
      expect(arm).toBeDefined();
      expect(other.assign(by({ userId: newId(), keyId }), ASKED)).toEqual(arm);
    }
    expect(one.assign(by({ userId }), ASKED)?.arm).toBe(armOf(anExperiment(), userId)?.name);
    expect(new Set(KEYS.map((keyId) => one.assign(by({ userId, keyId }), ASKED)?.arm)).size).toBe(2);
  });

  it('gives all keys of a user one arm where users are sticky', async () => {
    const experiments = await assigning(anExperiment({ stickyBy: 'user' }));
    const userId = newId();
    expect(new Set(KEYS.map((keyId) => experiments.assign(by({ userId, keyId }), ASKED)?.arm)).size).toBe(1);
  });

  it('gives each request an arm of its own where nothing is sticky', async () => {
    const experiments = await assigning(anExperiment({ stickyBy: 'request' }));
    const { principal } = by({ keyId: newId() });
    const arms = KEYS.map((requestId) => experiments.assign(aContext({ principal, requestId }), ASKED)?.arm);
    expect(new Set(arms).size).toBe(2);
  });

  it('says what the arm stands for, with the models of all arms, and cannot be changed', async () => {
    const arms = [
      { name: 'one', weight: 1, model: 'openai/a' },
      { name: 'two', weight: 1, model: 'openai/b' },
      { name: 'three', weight: 1, strategy: 'best', quality: 0.9 },
    ] as const;
    const experiment = anExperiment({ arms });
    const experiments = await assigning(experiment);
    const given = new Map(
      KEYS.map((keyId) => experiments.assign(by({ keyId }), ASKED)).map((one) => [one?.arm, one] as const),
    );
    const common = { experimentId: experiment.id, models: ['openai/a', 'openai/b'] };
    expect(given.get('one')).toEqual({ ...common, arm: 'one', model: 'openai/a' });
    expect(given.get('two')).toEqual({ ...common, arm: 'two', model: 'openai/b' });
    expect(given.get('three')).toEqual({ ...common, arm: 'three', strategy: 'best', quality: 0.9 });
    expect([...given.values()].every((one) => Object.isFrozen(one) && Object.isFrozen(one?.models))).toBe(
      true,
    );
  });

  it('splits the strategy and the task types of the experiment only', async () => {
    const experiments = await assigning(
      anExperiment({ strategy: 'cheap', taskTypes: ['MATH', 'REASONING'] }),
      anExperiment({ id: newId(), strategy: 'best' }),
    );
    const ctx = by({ keyId: newId() });
    expect(experiments.assign(ctx, { strategy: 'cheap', taskType: 'MATH' })).toBeDefined();
    expect(experiments.assign(ctx, { strategy: 'cheap', taskType: 'GENERAL' })).toBeUndefined();
    expect(experiments.assign(ctx, { strategy: 'best', taskType: 'GENERAL' })).toBeDefined();
    expect(experiments.assign(ctx, { strategy: 'auto', taskType: 'MATH' })).toBeUndefined();
  });
});
