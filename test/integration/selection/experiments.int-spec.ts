import { EventEmitterModule } from '@nestjs/event-emitter';
import { Test, type TestingModule } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { newId, type RequestContext, toApiId } from '../../../src/common/index';
import { ConfigModule, loadConfig } from '../../../src/config/index';
import { DatabaseModule } from '../../../src/database/index';
import { ConflictError, ErrorsModule, NotFoundError, ValidationError } from '../../../src/errors/index';
import { ObservabilityModule } from '../../../src/observability/index';
import type {
  Experiment,
  ExperimentArm,
  ExperimentSettings,
} from '../../../src/selection/experiments/experiment';
import { ExperimentChanges } from '../../../src/selection/experiments/experiment-changes.service';
import { ExperimentPages } from '../../../src/selection/experiments/experiment.pages';
import { Experiments } from '../../../src/selection/experiments/experiments.service';
import { SelectionModule } from '../../../src/selection/index';
import { testEnv } from '../../support/app';
import { AuditModule } from '../../support/audit-module';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { eventually } from '../../support/eventually';
import { aContext } from '../../support/factories';

const ASKED = { strategy: 'auto', taskType: 'MATH' } as const;

describe(ExperimentChanges.name, () => {
  let database: TestDatabase;
  let source: DataSource;
  /** Two processes on one database. */
  let here: TestingModule;
  let there: TestingModule;
  let changes: ExperimentChanges;
  const admin: RequestContext = aContext({ principal: { userId: newId(), role: 'admin' } });

  beforeAll(async () => {
    database = await createTestDatabase();
    [here, there] = [await start(), await start()];
    changes = here.get(ExperimentChanges);
    source = here.get(DataSource);
  });

  afterAll(async () => {
    await here.close();
    await there.close();
    await database.drop();
  });

  afterEach(async () => {
    await source.query('delete from routing_experiments');
    for (const process of [here, there]) await process.get(Experiments).now();
  });

  async function start(): Promise<TestingModule> {
    const module = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(loadConfig(testEnv('/nonexistent', { LATTICE_SANDBOX: 'on' }))),
        EventEmitterModule.forRoot(),
        ObservabilityModule,
        ErrorsModule,
        DatabaseModule.forRoot(database.url),
        AuditModule,
        SelectionModule,
      ],
    }).compile();
    module.useLogger(false);
    return await module.init();
  }

  const wanted = (more: Partial<ExperimentSettings> = {}): ExperimentSettings => ({
    name: 'test',
    strategy: 'auto',
    arms: [
      { name: 'as it is', weight: 1, strategy: 'auto' },
      { name: 'cheap', weight: 3, strategy: 'cheap' },
    ],
    stickyBy: 'request',
    share: 1,
    ...more,
  });
  const models = (...names: string[]): readonly ExperimentArm[] =>
    names.map((model) => ({ name: model, weight: 1, model }));
  const idOf = ({ id }: Experiment): string => toApiId('exp', id);
  const create = async (more: Partial<ExperimentSettings> = {}): Promise<string> =>
    idOf(await changes.create(admin, wanted(more)));
  const isSplit = (process: TestingModule): boolean =>
    process.get(Experiments).assign(aContext(), ASKED) !== undefined;

  it('splits nothing before the start, holds here when that is answered and there a moment later, until the stop', async () => {
    const id = await create();
    expect(isSplit(here)).toBe(false);
    await changes.start(admin, id);
    expect(isSplit(here)).toBe(true);
    await eventually(async () => isSplit(there) || undefined);
    await changes.stop(admin, id);
    expect(isSplit(here)).toBe(false);
    await eventually(async () => !isSplit(there) || undefined);
  });

  it('gives a key the same arm in both processes', async () => {
    await changes.start(admin, await create({ stickyBy: 'key' }));
    await eventually(async () => isSplit(there) || undefined);
    const contexts = Array.from({ length: 20 }, () =>
      aContext({ principal: { userId: newId(), keyId: newId(), role: 'operator' } }),
    );
    const armsOf = (process: TestingModule) =>
      contexts.map((ctx) => process.get(Experiments).assign(ctx, ASKED)?.arm);
    expect(armsOf(there)).toEqual(armsOf(here));
    expect(new Set(armsOf(here)).size).toBe(2);
  });

  it('is heard of by processes that were not listening when it started', async () => {
    const id = await create();
    await source.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = 'lattice-listen'`,
    );
    // Nobody listens at this moment, or everybody does again.
    await source.query(`update routing_experiments set status = 'running', started_at = now()`);
    await eventually(async () => (isSplit(here) && isSplit(there)) || undefined);
    await changes.stop(admin, id);
    await eventually(async () => !isSplit(there) || undefined);
  });

  it('runs when a process starts', async () => {
    await changes.start(admin, await create());
    const late = await start();
    expect(isSplit(late)).toBe(true);
    await late.close();
  });

  it('refuses a second one for the same strategy, naming the first; also when both start at once', async () => {
    const [first, second, other] = [await create(), await create(), await create({ strategy: 'best' })];
    const [elsewhere] = [there.get(ExperimentChanges)];
    const answers = await Promise.allSettled([changes.start(admin, first), elsewhere.start(admin, second)]);
    const refused = answers.filter((answer) => answer.status === 'rejected');
    expect(refused).toHaveLength(1);
    const running = answers[0]?.status === 'fulfilled' ? first : second;
    expect(refused[0]?.reason).toBeInstanceOf(ConflictError);
    expect(refused[0]?.reason).toMatchObject({ details: { experimentId: running } });
    await changes.start(admin, other);
    await changes.stop(admin, running);
    await changes.start(admin, running === first ? second : first);
  });

  it('takes changes that come at once one after the other', async () => {
    const id = await create();
    const acts = Array.from({ length: 10 }, (_, index) => {
      const by = (index % 2 === 0 ? here : there).get(ExperimentChanges);
      return index === 5 ? by.start(admin, id) : by.update(admin, id, { name: `name ${index}` });
    });
    expect((await Promise.allSettled(acts)).map(({ status }) => status)).toEqual(acts.map(() => 'fulfilled'));
  });

  it('never goes back: what was stopped does not start, what was started is not deleted', async () => {
    const id = await create();
    await expect(changes.stop(admin, id)).rejects.toBeInstanceOf(ConflictError);
    await changes.start(admin, id);
    await expect(changes.start(admin, id)).rejects.toBeInstanceOf(ConflictError);
    await expect(changes.remove(admin, id)).rejects.toBeInstanceOf(ConflictError);
    await changes.stop(admin, id);
    for (const act of ['start', 'stop', 'remove'] as const) {
      await expect(changes[act](admin, id)).rejects.toBeInstanceOf(ConflictError);
    }
    const draft = await create();
    await changes.remove(admin, draft);
    await expect(changes.start(admin, draft)).rejects.toBeInstanceOf(NotFoundError);
  });

  it('changes everything of a draft, name and share of a running one, the name of a stopped one', async () => {
    const id = await create({ taskTypes: ['MATH'] });
    const arms = models('sandbox/large', 'sandbox/small');
    const more = { strategy: 'cheap', arms, taskTypes: undefined, stickyBy: 'user', share: 0.5 } as const;
    expect(await changes.update(admin, id, more)).toMatchObject({ ...more, name: 'test' });
    await changes.start(admin, id);
    await changes.update(admin, id, { name: 'now', share: 0 });
    await expect(changes.update(admin, id, { arms })).rejects.toMatchObject({
      code: 'CONFLICT',
      param: 'arms',
    });
    await expect(changes.update(admin, id, { taskTypes: undefined })).rejects.toMatchObject({
      param: 'taskTypes',
    });
    expect(here.get(Experiments).assign(aContext(), { ...ASKED, strategy: 'cheap' })).toBeUndefined();
    await changes.update(admin, id, { share: 1 });
    expect(here.get(Experiments).assign(aContext(), { ...ASKED, strategy: 'cheap' })).toBeDefined();
    await changes.stop(admin, id);
    await expect(changes.update(admin, id, { share: 0.1 })).rejects.toMatchObject({ param: 'share' });
    expect(await changes.update(admin, id, { name: 'then' })).toMatchObject({ name: 'then', share: 1 });
    await expect(changes.update(admin, id, {})).rejects.toBeInstanceOf(ValidationError);
  });

  it('takes models that can be called only, by their catalog ids', async () => {
    const made = await changes.create(admin, wanted({ arms: models('Sandbox/Large', 'small') }));
    expect(made.arms.map(({ model }) => model)).toEqual(['sandbox/large', 'sandbox/small']);
    for (const model of ['no-such-model', 'sandbox/embed', 'openai/gpt-4o-mini']) {
      const refused = changes.create(admin, wanted({ arms: models('sandbox/large', model) }));
      await expect(refused).rejects.toBeInstanceOf(ValidationError);
      await expect(refused).rejects.toMatchObject({ param: 'arms.1.model' });
    }
    const gone = JSON.stringify(models('sandbox/large', 'sandbox/gone'));
    await source.query('update routing_experiments set arms = $1', [gone]);
    await expect(changes.start(admin, idOf(made))).rejects.toMatchObject({ code: 'CONFLICT', param: 'arms' });
  });

  it('is listed newest first, by state and in pages', async () => {
    const pages = here.get(ExperimentPages);
    const ids = [await create(), await create(), await create()].toReversed();
    await changes.start(admin, ids[1] ?? '');
    const first = await pages.list(admin, { limit: 2 });
    const cursor = first.nextCursor ?? '';
    const second = await pages.list(admin, { limit: 2, cursor });
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(ids);
    expect(second.nextCursor).toBeNull();
    const running = await pages.list(admin, { limit: 2, status: 'running' });
    expect(running.data.map(({ id }) => id)).toEqual([ids[1]]);
    await expect(pages.list(admin, { limit: 2, cursor, status: 'draft' })).rejects.toBeInstanceOf(
      ValidationError,
    );
  });

  it('stands in the audit log with what was and what is', async () => {
    const auditor = aContext({ principal: { userId: newId(), role: 'admin' } });
    const made = async () => idOf(await changes.create(auditor, wanted()));
    const id = await made();
    await changes.update(auditor, id, { share: 0.25 });
    await changes.start(auditor, id);
    await changes.stop(auditor, id);
    await changes.remove(auditor, await made());
    const entries = await source.query<
      { action: string; resource_id: string; before: unknown; after: unknown }[]
    >('select action, resource_id, before, after from audit_entries where actor_id = $1 order by position', [
      auditor.principal.userId,
    ]);
    expect(entries.map(({ action }) => action)).toEqual(
      ['create', 'update', 'start', 'stop', 'create', 'delete'].map((verb) => `experiment.${verb}`),
    );
    expect(entries[1]).toMatchObject({
      resource_id: id,
      before: { status: 'draft', share: 1 },
      after: { status: 'draft', share: 0.25 },
    });
    expect(entries[3]).toMatchObject({ before: { status: 'running' }, after: { status: 'stopped' } });
  });

  it('is for administrators, whatever the route says', async () => {
    const id = await create();
    for (const act of ['start', 'stop', 'remove'] as const) {
      await expect(changes[act](aContext(), id)).rejects.toBeInstanceOf(NotFoundError);
    }
    await expect(changes.update(aContext(), id, { name: 'mine' })).rejects.toBeInstanceOf(NotFoundError);
  });
});
