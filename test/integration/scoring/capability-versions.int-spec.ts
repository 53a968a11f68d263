import { Logger } from '@nestjs/common';
import { type CatalogModel, CatalogService } from '../../../src/catalog/index';
import { newId, TASK_TYPES } from '../../../src/common/index';
import { ValidationError } from '../../../src/errors/index';
import { CapabilityTable } from '../../../src/scoring/index';
import { OutcomesRepository } from '../../../src/scoring/outcomes/outcomes.repository';
import { OutcomesService } from '../../../src/scoring/outcomes/outcomes.service';
import { CapabilityLearning } from '../../../src/scoring/outcomes/versions/capability-learning.service';
import { CapabilityPins } from '../../../src/scoring/outcomes/versions/capability-pins.service';
import { CapabilityRefresh } from '../../../src/scoring/outcomes/versions/capability-refresh.service';
import { CapabilityVersions } from '../../../src/scoring/outcomes/versions/capability-versions.repository';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { eventually } from '../../support/eventually';
import { anAdmin, type OutcomesNode, outcomes, startOutcomesNode } from './outcomes-node';

const MODEL = 'openai/gpt-4o-mini';
const admin = anAdmin();

let database: TestDatabase;
let node: OutcomesNode;
const more: OutcomesNode[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  node = await startOutcomesNode(database.url);
});
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all([node, ...more.splice(0)].map((one) => one.close()));
  await database.drop();
});

async function another(): Promise<OutcomesNode> {
  const made = await startOutcomesNode(database.url);
  more.push(made);
  return made;
}

async function report(count: number, score: number): Promise<string> {
  const { version } = await node.module
    .get(OutcomesService)
    .create(admin, outcomes(count, { score, pool: newId() }));
  if (version === undefined) throw new Error('It was not learned');
  return version;
}

const versions = (of = node) => of.module.get(CapabilityVersions).list({ limit: 100 });
const quality = (of = node) => of.expects(MODEL, 'SUMMARIZATION').quality;
const pin = (version: string | null, of = node) => of.module.get(CapabilityPins).pin(admin, version);
/** As feedback does it: stored, and learned by whoever comes next. */
const storeOnly = (score: number, count = 30) =>
  node.module.get(OutcomesRepository).change(async (executor) => ({
    result: await node.module
      .get(OutcomesRepository)
      .store(admin.principal.userId, outcomes(count, { score }), executor),
    outcomes: count,
  }));

describe(CapabilityLearning.name, () => {
  it('makes a version for every change of the outcomes, and says who, why and from how many', async () => {
    expect(node.capabilities.current).toBe(CapabilityTable.prior);
    const first = await report(10, 0);
    const second = await report(20, 0);
    await node.module.get(OutcomesService).remove(admin, {});
    const [removal, later, earlier] = await versions();
    expect(earlier).toMatchObject({ version: first, reason: 'outcomes', outcomes: { api: 10, csv: 0 } });
    expect(later).toMatchObject({ version: second, outcomes: { api: 30 } });
    expect(removal).toMatchObject({ reason: 'removal', outcomes: { api: 0, csv: 0, feedback: 0 } });
    expect(removal).toMatchObject({ createdBy: admin.principal.userId, usedUntil: undefined });
    expect([later?.usedUntil, earlier?.usedUntil]).toEqual([expect.any(Date), expect.any(Date)]);
  });

  it('expects what the catalog says once every outcome is gone', async () => {
    const before = quality();
    await report(100, 0);
    expect(quality()).toBeLessThan(before);
    await node.module.get(OutcomesService).remove(admin, {});
    expect(quality()).toBeCloseTo(before, 10);
  });

  it('makes no version of the same outcomes', async () => {
    await report(10, 0);
    const learning = node.module.get(CapabilityLearning);
    await learning.catchUp();
    await node.database.query('update capability_state set revision = revision + 1');
    await learning.catchUp();
    expect(await versions()).toHaveLength(1);
  });

  it('learns behind the requests what was only stored, in one of several processes', async () => {
    const nodes = [node, await another(), await another()];
    await storeOnly(0);
    await Promise.all(nodes.map((one) => one.module.get(CapabilityLearning).catchUp()));
    expect(await versions()).toMatchObject([{ reason: 'feedback', createdBy: undefined }]);
    expect(new Set(nodes.map((one) => one.capabilities.current.version)).size).toBe(1);
  });

  it('learns at the start what a process that is gone has only stored', async () => {
    await storeOnly(0);
    const late = await another();
    await late.module.get(CapabilityLearning).catchUp();
    expect(await versions()).toHaveLength(1);
    expect(late.capabilities.current.version).not.toBe('prior');
  });

  it('waits with single ratings until they are one in a hundred, or an hour has passed', async () => {
    const learning = node.module.get(CapabilityLearning);
    await report(1000, 0.5);
    await learning.catchUp();
    await storeOnly(0, 9);
    await learning.catchUp();
    expect(await versions()).toHaveLength(1);
    await storeOnly(0, 1);
    await learning.catchUp();
    expect(await versions()).toHaveLength(2);
    await storeOnly(0, 1);
    await learning.catchUp();
    expect(await versions()).toHaveLength(2);
    await node.database.query(`update capability_versions set created_at = now() - interval '61 minutes'`);
    await learning.catchUp();
    expect(await versions()).toHaveLength(3);
  });

  it('learns anew when the catalog’s estimates have changed, but makes no version of nothing', async () => {
    const learning = node.module.get(CapabilityLearning);
    await learning.catchUp();
    expect(await versions()).toEqual([]);
    await report(30, 0);
    const late = await another();
    const before = quality(late);
    const [model] = late.module
      .get(CatalogService)
      .list()
      .filter(({ id }) => id === MODEL);
    const better = Object.fromEntries(TASK_TYPES.map((type) => [type, 0.95]));
    const models = late.module
      .get(CatalogService)
      .ofKind('chat')
      .map((one) => (one.baseModel === model?.baseModel ? { ...one, scores: better } : one));
    jest.spyOn(late.module.get(CatalogService), 'ofKind').mockReturnValue(models as CatalogModel[]);
    await late.module.get(CapabilityLearning).catchUp();
    expect((await versions())[0]).toMatchObject({ reason: 'catalog' });
    expect(quality(late)).not.toBe(before);
  });

  it('answers and logs when it fails, and learns later', async () => {
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    const learning = node.module.get(CapabilityLearning);
    await storeOnly(0);
    await node.database.query('alter table capability_versions rename to away');
    expect(await learning.learn({ reason: 'outcomes' })).toBeUndefined();
    expect(log).toHaveBeenCalledWith(expect.stringContaining('Outcomes were not learned'));
    await node.database.query('alter table away rename to capability_versions');
    await learning.catchUp();
    expect(await versions()).toHaveLength(1);
  });
});

describe(CapabilityRefresh.name, () => {
  it('brings a version to other processes, running ones and later ones', async () => {
    const running = await another();
    const version = await report(50, 0);
    await eventually(() => Promise.resolve(running.capabilities.current.version === version || undefined));
    const later = await another();
    expect(later.capabilities.current.version).toBe(version);
    expect(quality(later)).toBe(quality());
    expect(quality(running)).toBe(quality());
  });

  it('finds each version again as it was', async () => {
    const before = quality();
    const first = await report(5, 0);
    const learned = quality();
    await report(50, 1);
    const model = outcomes(1)[0]?.model ?? '';
    expect(quality()).not.toBe(learned);
    const found = await node.capabilities.find(first);
    expect(found?.version).toBe(first);
    node.capabilities.use(found ?? CapabilityTable.prior);
    expect([model, quality()]).toEqual([MODEL, learned]);
    node.capabilities.use((await node.capabilities.find('prior')) ?? CapabilityTable.prior);
    expect(quality()).toBe(before);
    for (const version of ['4711', 'nonsense', '']) {
      expect(await node.capabilities.find(version)).toBeUndefined();
    }
  });

  it('keeps what it has while PostgreSQL does not answer', async () => {
    const version = await report(50, 0);
    const learned = quality();
    const stored = node.module.get(CapabilityVersions);
    jest
      .spyOn(stored, 'inForce')
      .mockRejectedValue(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }));
    await node.module.get(CapabilityRefresh).now();
    expect([node.capabilities.current.version, quality()]).toEqual([version, learned]);
  });

  it('starts with the catalog alone when a stored version cannot be read, says so, and learns anew', async () => {
    const version = await report(50, 0);
    const learned = quality();
    await node.database.query(`update capability_versions set content = '{"format":"of tomorrow"}'`);
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    const late = await another();
    expect(log).toHaveBeenCalledWith(expect.stringContaining(`Capability version ${version} cannot be read`));
    await late.module.get(CapabilityLearning).catchUp();
    expect((await versions())[0]).toMatchObject({ reason: 'repair' });
    expect(quality(late)).toBe(learned);
    expect(await late.capabilities.find(version)).toBeUndefined();
  });
});

describe(CapabilityPins.name, () => {
  it('holds all processes at a version, while new ones are made', async () => {
    const running = await another();
    const first = await report(10, 0);
    const learned = quality();
    const second = await report(90, 0);
    await pin(first);
    expect([node.capabilities.current.version, quality()]).toEqual([first, learned]);
    const third = await report(50, 0);
    expect([first, second, third]).toEqual([first, second, third].toSorted());
    expect(node.capabilities.current.version).toBe(first);
    await eventually(() => Promise.resolve(running.capabilities.current.version === first || undefined));
    expect((await versions()).map(({ usedUntil }) => usedUntil === undefined)).toEqual([false, false, true]);

    await pin(null);
    expect(node.capabilities.current.version).toBe(third);
    await eventually(() => Promise.resolve(running.capabilities.current.version === third || undefined));
  });

  it('goes back to the catalog alone', async () => {
    const before = quality();
    await report(100, 0);
    expect(await pin('prior')).toMatchObject({ version: 'prior', pinned: 'prior' });
    expect([node.capabilities.current.version, quality()]).toEqual(['prior', before]);
    expect((await another()).capabilities.current.version).toBe('prior');
  });

  it('refuses a version that is not there, and one that cannot be read', async () => {
    const version = await report(1, 0);
    await expect(pin('4711')).rejects.toThrow(ValidationError);
    await node.database.query(`update capability_versions set content = '{}'`);
    await expect(pin(version)).rejects.toMatchObject({ param: 'version' });
    expect((await node.module.get(CapabilityVersions).inForce()).pinned).toBeUndefined();
  });

  it('records who pinned what in place of what', async () => {
    const version = await report(1, 0);
    await pin('prior');
    const [entry] = await node.database.query<Record<string, unknown>[]>(
      `select actor_id, before, after from audit_entries where action = 'capability.pin'`,
    );
    expect(entry).toEqual({
      actor_id: admin.principal.userId,
      before: { version, pinned: null },
      after: { version: 'prior', pinned: 'prior' },
    });
  });
});
