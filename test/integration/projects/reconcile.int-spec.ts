import type { EntityManager } from 'typeorm';
import { DurableEngine, type RunState } from '../../../src/durable/index';
import { DispatchRepository } from '../../../src/projects/runs/dispatch.repository';
import { Reconciler } from '../../../src/projects/runs/reconciler.service';
import { type Account, startApp, type TestApp } from '../../support/app';
import { ProjectRuns } from '../../support/project-run';

const MANY = { inAll: 1000, perOwner: 1000, batch: 1000 };
const nothing = (_tx: EntityManager): Promise<void> => Promise.resolve();

describe(Reconciler.name, () => {
  let app: TestApp;
  let owner: Account;
  let runs: ProjectRuns;
  let reconciler: Reconciler;

  beforeAll(async () => {
    app = await startApp();
    reconciler = app.app.get(Reconciler);
  });

  afterAll(() => app.close());

  beforeEach(async () => {
    owner = await app.register();
    runs = new ProjectRuns(app, owner);
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await app.database.query('delete from projects');
  });

  /** Tasks that were taken a while ago, and the durable runs of which are in this state by now. */
  async function taken(tasks: readonly object[], state: RunState | undefined): Promise<string> {
    const project = await runs.started(tasks);
    await app.app.get(DispatchRepository).claim(MANY, nothing);
    await app.database.query(`update tasks set updated_at = now() - interval '1 minute'`);
    jest
      .spyOn(app.app.get(DurableEngine), 'statuses')
      .mockImplementation((ids) => Promise.resolve(state ? ids.map((id) => ({ id, state })) : []));
    return project;
  }

  it.each<[RunState | undefined, object, string]>([
    ['given_up', { state: 'failed', exitReason: 'crashed', error: { code: 'CRASHED' } }, 'failed'],
    ['failed', { state: 'waiting', retries: 1, error: { code: 'INTERNAL' } }, 'running'],
    ['cancelled', { state: 'cancelled', exitReason: 'cancelled' }, 'failed'],
    [undefined, { state: 'ready', attempts: 1 }, 'running'],
    ['succeeded', { state: 'ready', attempts: 1 }, 'running'],
    ['running', { state: 'running' }, 'running'],
    ['waiting', { state: 'running' }, 'running'],
  ])('finds a task whose durable run is %s', async (state, expected, status) => {
    const project = await taken([{}], state);
    await reconciler.round();
    expect(await runs.tasks(project)).toMatchObject([expected]);
    expect(await runs.status(project)).toBe(status);
  });

  it('leaves alone what has changed a moment ago', async () => {
    const project = await taken([{}], 'failed');
    await app.database.query('update tasks set updated_at = now()');
    await reconciler.round();
    expect(await runs.tasks(project)).toMatchObject([{ state: 'running' }]);
  });

  it('ends a run that has no open task and did not notice', async () => {
    const project = await runs.started([{}, {}]);
    await app.database.query(`update tasks set state = 'succeeded', completed_at = now()`);
    await reconciler.round();
    expect(await runs.status(project)).toBe('completed');
  });
});
