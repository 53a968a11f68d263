import { fromApiId } from '../../../src/common/index';
import { DurableEngine, type RunState } from '../../../src/durable/index';
import { DispatchRepository } from '../../../src/projects/runs/dispatch.repository';
import { Reconciler } from '../../../src/projects/runs/reconciler.service';
import { WorkRepository } from '../../../src/projects/runs/work.repository';
import { type Account, startApp, type TestApp } from '../../support/app';
import { untilSomeoneWaits } from '../../support/database/lock-waits';
import { type Failed, type GraphTask, ProjectRuns } from '../../support/project-run';

const MANY = { inAll: 1000, perOwner: 1000, batch: 1000 };

/** The test is the worker here: it takes tasks as the dispatcher does. */
describe('control of runs and tasks', () => {
  let app: TestApp;
  let owner: Account;
  let runs: ProjectRuns;

  beforeAll(async () => {
    app = await startApp({ MAX_TASK_RETRIES: '2' });
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

  const uuid = (id: string): string => fromApiId(id.slice(0, 3) as 'tsk', id) ?? '';
  const sql = <T = Record<string, unknown>>(text: string, ...values: unknown[]): Promise<T[]> =>
    app.database.query<T[]>(text, values);

  async function claim(): Promise<string[]> {
    const ids: string[] = [];
    await app.app.get(DispatchRepository).claim(MANY, (_tx, tasks) => {
      ids.push(...tasks.map(({ id }) => id));
      return Promise.resolve();
    });
    return ids;
  }

  async function started(tasks: readonly GraphTask[]): Promise<{ project: string; tasks: string[] }> {
    const project = await runs.started(tasks);
    return { project, tasks: (await runs.tasks(project)).map(({ id }) => id) };
  }

  async function ended(task: string, exitReason: string): Promise<void> {
    await sql(
      `update tasks set state = 'failed', exit_reason = $2, completed_at = now() where id = $1`,
      uuid(task),
      exitReason,
    );
    await sql(`update project_runs set status = 'failed', tasks_done = tasks_total`);
    await sql(`update projects set status = 'failed'`);
  }

  describe('a run that was approved and never began', () => {
    /** Beside a newer plan that nobody has approved. */
    async function behindAPlan(): Promise<string> {
      const project = await runs.approved([{}, {}]);
      await sql(`update projects set status = 'planned' where id = $1`, uuid(project));
      return project;
    }

    it('ends with its project', async () => {
      const project = await behindAPlan();
      const cancelled = await runs.call('POST', `/projects/${project}/cancel`);
      expect(cancelled.body).toMatchObject({ status: 'cancelled' });
      expect((await runs.tasks(project)).map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
      expect((await runs.call('POST', `/projects/${project}/fork`, { start: false })).status).toBe(200);
    });

    it('does not keep its project from being deleted, whatever the status of that is', async () => {
      const project = await behindAPlan();
      await sql(`update projects set status = 'cancelled' where id = $1`, uuid(project));
      expect((await runs.call('DELETE', `/projects/${project}`)).status).toBe(204);
    });
  });

  async function kept(task: string, steps: readonly (readonly [string, number, object])[]): Promise<void> {
    for (const [step, number, result] of steps) {
      await sql(
        `insert into task_steps (task_id, generation, step, number, result) values ($1, 0, $2, $3, $4)`,
        uuid(task),
        step,
        number,
        JSON.stringify(result),
      );
    }
  }

  it('tries a task that the budget cut with what came before the answer that was cut', async () => {
    const { tasks } = await started([{}]);
    const [task = ''] = tasks;
    const round = (isCutByBudget: boolean) => ({ text: 'x', isCutByBudget });
    const result = { name: 'counter', ok: true, content: '1' };
    await kept(task, [
      ['earlier-x', 0, { text: 'short' }],
      ['round-1', 1, round(false)],
      ['tool-1-0', 1, result],
      // Cut, but its calls were whole: the task went on, and what followed belongs to it.
      ['round-2', 2, round(true)],
      ['tool-2-0', 2, result],
      ['round-3', 3, round(false)],
      ['tool-3-0', 3, result],
    ]);
    await ended(task, 'budget');
    expect((await runs.call('POST', `/tasks/${task}/retry`)).status).toBe(200);
    const work = app.app.get(WorkRepository);
    const again = (await work.find(uuid(task)))?.task;
    // Another generation is asked for under another Idempotency-Key.
    expect(again).toMatchObject({ state: 'ready', generation: 1 });
    const steps = [...(await work.steps({ id: uuid(task), generation: 1 })).keys()];
    expect(steps.toSorted()).toEqual(['earlier-x', 'round-1', 'tool-1-0']);
  });

  it('asks a model that said nothing under another key, with all that is kept', async () => {
    const { tasks } = await started([{}]);
    const [task = ''] = tasks;
    await kept(task, [['round-1', 1, { text: 'x', isCutByBudget: false }]]);
    await ended(task, 'error');
    await sql(`update tasks set error = '{"code":"EMPTY_ANSWER","message":"Held back"}'`);
    expect((await runs.call('POST', `/tasks/${task}/retry`)).status).toBe(200);
    const again = (await app.app.get(WorkRepository).find(uuid(task)))?.task;
    expect(again).toMatchObject({ state: 'ready', generation: 1 });
    expect((await runs.task(task)).steps).toBe(1);
  });

  it('changes no task that is being taken just then', async () => {
    const { tasks } = await started([{}]);
    const [task = ''] = tasks;
    let answer: Promise<{ status: number }> | undefined;
    await app.app.get(DispatchRepository).claim(MANY, async () => {
      answer = runs.call('PATCH', `/tasks/${task}`, { title: 'Other' });
      await untilSomeoneWaits(app.database, { words: 'tasks' });
    });
    expect((await answer)?.status).toBe(409);
    expect(await sql('select state, generation from tasks')).toEqual([{ state: 'running', generation: 0 }]);
  });

  describe('the key that pays', () => {
    async function key(body: object): Promise<{ id: string; key: string }> {
      const made = await app.call<{ id: string; key: string }>('POST', '/api/v1/keys', {
        body: { name: 'other', ...body },
        credential: owner.accessToken,
      });
      return made.body;
    }
    const payer = async (): Promise<unknown> => (await sql('select key_id from project_runs'))[0]?.key_id;
    const by = (credential: string, method: string, route: string, body?: object) =>
      app.call<Failed>(method, `/api/v1${route}`, { credential, body });

    it('is that of whoever resumes the run or tries a task of it again', async () => {
      const { project, tasks } = await started([{}]);
      const [first, second] = [await key({}), await key({})];
      await by(first.key, 'POST', `/projects/${project}/pause`);
      await by(first.key, 'POST', `/projects/${project}/resume`);
      expect(await payer()).toBe(fromApiId('key', first.id));
      await ended(tasks[0] ?? '', 'error');
      await by(second.key, 'POST', `/tasks/${tasks[0]}/retry`);
      expect(await payer()).toBe(fromApiId('key', second.id));
    });

    it('must be one that may make calls', async () => {
      const { project, tasks } = await started([{}]);
      const [task = ''] = tasks;
      const limited = (await key({ scopes: ['projects:*', 'tasks:*'] })).key;
      expect((await by(limited, 'PATCH', `/tasks/${task}`, { description: 'Spend' })).status).toBe(403);
      expect((await by(limited, 'PATCH', `/tasks/${task}`, { priority: 1 })).status).toBe(200);
      await by(limited, 'POST', `/projects/${project}/pause`);
      expect((await by(limited, 'POST', `/projects/${project}/resume`)).status).toBe(403);
      await ended(task, 'error');
      expect((await by(limited, 'POST', `/tasks/${task}/retry`)).status).toBe(403);
    });
  });

  it('takes a task away from a person when it gets another agent', async () => {
    const { project, tasks } = await started([{}]);
    const [task = ''] = tasks;
    await runs.agent('worker');
    await sql(`update tasks set state = 'waiting', waiting_for = 'answer'`);
    await runs.call('PATCH', `/tasks/${task}`, { title: 'Other' });
    expect(await runs.tasks(project)).toMatchObject([{ state: 'waiting', waitingFor: 'answer' }]);
    const changed = await runs.call('PATCH', `/tasks/${task}`, { agent: 'writer' });
    expect(changed.body).toMatchObject({ state: 'ready', waitingFor: null });
    expect(await claim()).toEqual([uuid(task)]);
  });

  describe('a cancellation of which nobody was told', () => {
    it.each<[string, (project: string, task: string) => string]>([
      ['project', (project) => `/projects/${project}/cancel`],
      ['task', (_project, task) => `/tasks/${task}/cancel`],
    ])('is told when it is asked for again: of a %s', async (_name, routeOf) => {
      const { project, tasks } = await started([{}]);
      await claim();
      const route = routeOf(project, tasks[0] ?? '');
      const cancel = jest
        .spyOn(app.app.get(DurableEngine), 'cancel')
        .mockRejectedValueOnce(new Error('gone'));
      expect((await runs.call('POST', route)).status).toBe(500);
      expect((await runs.call('POST', route)).status).toBe(200);
      expect(cancel.mock.calls).toEqual([[[`${uuid(tasks[0] ?? '')}:1`]], [[`${uuid(tasks[0] ?? '')}:1`]]]);
    });
  });

  describe('durable runs that ended badly', () => {
    async function found(state: RunState): Promise<void> {
      await sql(`update tasks set updated_at = now() - interval '1 minute'`);
      jest
        .spyOn(app.app.get(DurableEngine), 'statuses')
        .mockImplementation((ids) => Promise.resolve(ids.map((id) => ({ id, state }))));
      await app.app.get(Reconciler).round();
    }
    const isDue = () => sql(`update tasks set ready_at = now() where ready_at is not null`);

    it('are tried again while the task has retries left', async () => {
      const { project } = await started([{}]);
      for (const retries of [1, 2]) {
        await claim();
        await found('failed');
        expect(await runs.tasks(project)).toMatchObject([
          { state: 'waiting', waitingFor: 'retry', retries, error: { code: 'INTERNAL' } },
        ]);
        await isDue();
      }
      await claim();
      await found('failed');
      expect(await runs.tasks(project)).toMatchObject([{ state: 'failed', exitReason: 'error' }]);
    });

    it('are tried again one by one when several crashed together, and then it is clear which', async () => {
      const { project } = await started([{}, {}]);
      expect(await claim()).toHaveLength(2);
      await found('given_up');
      const waiting = { state: 'waiting', waitingFor: 'retry', retries: 1, error: { code: 'CRASHED' } };
      expect(await runs.tasks(project)).toMatchObject([waiting, waiting]);
      await isDue();
      const [suspect = ''] = await claim();
      expect(await claim()).toEqual([]);
      await found('given_up');
      const [crashed] = await sql('select state, exit_reason from tasks where id = $1', suspect);
      expect(crashed).toEqual({ state: 'failed', exit_reason: 'crashed' });
      expect(await claim()).toHaveLength(1);
      expect(await claim()).toEqual([]);
    });
  });
});
