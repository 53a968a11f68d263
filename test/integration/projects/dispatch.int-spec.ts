import { fromApiId } from '../../../src/common/index';
import { type DispatchLimits, DispatchRepository } from '../../../src/projects/runs/dispatch.repository';
import { TaskTransitions } from '../../../src/projects/tasks/task-transitions';
import { type Account, startApp, type TestApp } from '../../support/app';
import { untilSomeoneWaits } from '../../support/database/lock-waits';
import { eventually } from '../../support/eventually';
import { type GraphTask, ProjectRuns } from '../../support/project-run';

const MANY: DispatchLimits = { inAll: 1000, perOwner: 1000, batch: 1000 };

/** The test is the worker here: it takes tasks as the dispatcher does and ends them by itself. */
describe(DispatchRepository.name, () => {
  let app: TestApp;
  let owner: Account;
  let runs: ProjectRuns;
  let dispatch: DispatchRepository;
  let transitions: TaskTransitions;

  beforeAll(async () => {
    app = await startApp({ MAX_TASK_RETRIES: '2' });
    dispatch = app.app.get(DispatchRepository);
    transitions = app.app.get(TaskTransitions);
  });

  afterAll(() => app.close());

  beforeEach(async () => {
    owner = await app.register();
    runs = new ProjectRuns(app, owner);
  });

  afterEach(() => app.database.query('delete from projects'));

  const titlesOf = async (ids: readonly string[]): Promise<string[]> => {
    const rows = await app.database.query<{ title: string }[]>(
      'select title from tasks where id = any($1) order by array_position($1, id)',
      [ids],
    );
    return rows.map(({ title }) => title);
  };

  async function claim(limits: Partial<DispatchLimits> = {}): Promise<string[]> {
    const ids: string[] = [];
    await dispatch.claim({ ...MANY, ...limits }, (_tx, tasks) => {
      ids.push(...tasks.map(({ id }) => id));
      return Promise.resolve();
    });
    return ids;
  }

  async function end(id: string, state: 'succeeded' | 'failed' = 'succeeded'): Promise<void> {
    await app.database.transaction(async (tx) => {
      const [task] = await tx.query<{ workflow_id: string }[]>(
        'select workflow_id from tasks where id = $1',
        [id],
      );
      const exitReason = state === 'succeeded' ? 'completed' : 'error';
      const ending = { state, exitReason, output: { text: 'result' } } as const;
      await transitions.end(tx, id, { workflowId: task?.workflow_id ?? '' }, ending);
    });
  }

  const claimedTitles = async (limits: Partial<DispatchLimits> = {}): Promise<string[]> =>
    (await titlesOf(await claim(limits))).toSorted();

  it('takes what is ready, and a task only once', async () => {
    await runs.started([{ title: 'a' }, { title: 'b', dependsOn: [0] }, { title: 'c' }]);
    expect(await claimedTitles()).toEqual(['a', 'c']);
    expect(await claimedTitles()).toEqual([]);
  });

  it('takes nothing of a run that was not started or is paused', async () => {
    await runs.approved([{ title: 'a' }]);
    const paused = await runs.started([{ title: 'b' }]);
    await runs.call('POST', `/projects/${paused}/pause`);
    expect(await claimedTitles()).toEqual([]);
    await runs.call('POST', `/projects/${paused}/resume`);
    expect(await claimedTitles()).toEqual(['b']);
  });

  it('prefers the higher priority, then the older run and the order of the plan', async () => {
    await runs.started([
      { title: 'a', priority: 10 },
      { title: 'b', priority: 90 },
      { title: 'c' },
      { title: 'd' },
    ]);
    await runs.started([{ title: 'e', priority: 90 }]);
    const order: string[] = [];
    for (let round = 0; round < 5; round++) order.push(...(await claimedTitles({ batch: 1 })));
    expect(order).toEqual(['b', 'e', 'c', 'd', 'a']);
  });

  it('keeps to the limit in all and to that of each owner, also when many ask at once', async () => {
    const other = new ProjectRuns(app, await app.register());
    const tasks: GraphTask[] = Array.from({ length: 20 }, (_, index) => ({ title: String(index) }));
    await runs.started(tasks);
    await other.started(tasks);
    const taken = await Promise.all(
      Array.from({ length: 10 }, () => claim({ inAll: 12, perOwner: 8, batch: 5 })),
    );
    const [counts] = await app.database.query<{ all: number; most: number }[]>(
      `select sum(n)::int as all, max(n)::int as most from
        (select count(*) as n from tasks where state = 'running' group by user_id) owners`,
    );
    expect(counts).toEqual({ all: 12, most: 6 });
    expect(new Set(taken.flat()).size).toBe(12);
    expect(taken.flat()).toHaveLength(12);
  });

  it('keeps to the limit of an owner where there is room for more', async () => {
    await runs.started(Array.from({ length: 10 }, () => ({})));
    const ids = await claim({ perOwner: 3 });
    expect(ids).toHaveLength(3);
    expect(await claim({ perOwner: 3 })).toEqual([]);
    await end(ids[0] ?? '');
    expect(await claim({ perOwner: 3 })).toHaveLength(1);
  });

  it('tries a task that crashed although that of another owner has no room', async () => {
    const other = new ProjectRuns(app, await app.register());
    await runs.started([{ title: 'crashed' }, { title: 'busy', priority: 90 }]);
    await other.started([{ title: 'crashed too' }]);
    expect(await claimedTitles({ batch: 1 })).toEqual(['busy']);
    await app.database.query(
      `update tasks set error = '{"code": "CRASHED"}' where title in ('crashed', 'crashed too')`,
    );
    expect(await claimedTitles({ perOwner: 1 })).toEqual(['crashed too']);
    expect(await claimedTitles({ perOwner: 2 })).toEqual([]);
  });

  it('tries the crashed task of the highest priority first', async () => {
    const other = new ProjectRuns(app, await app.register());
    const busy = Array.from({ length: 3 }, () => ({ title: 'busy', priority: 90 }));
    await runs.started([{ title: 'crashed', priority: 1 }, ...busy]);
    await other.started([{ title: 'crashed too' }]);
    await app.database.query(
      `update tasks set error = '{"code": "CRASHED"}' where title in ('crashed', 'crashed too')`,
    );
    expect(await claimedTitles({ inAll: 4 })).toEqual(['busy', 'busy', 'busy', 'crashed too']);
  });

  it('lets owners take turns at the same priority, whoever came first', async () => {
    const other = new ProjectRuns(app, await app.register());
    await runs.started(Array.from({ length: 10 }, () => ({ title: 'first' })));
    await claim({ batch: 2 });
    await other.started(Array.from({ length: 10 }, () => ({ title: 'second' })));
    expect(await claimedTitles({ batch: 4 })).toEqual(['first', 'second', 'second', 'second']);
  });

  it('takes a task again when its time has come, and not before', async () => {
    await runs.started([{ title: 'a' }]);
    const [id = ''] = await claim();
    const retry = { afterMs: 200, isCounted: true, error: { code: 'X', message: 'x' } };
    await app.database.transaction((tx) => transitions.waitForRetry(tx, id, `${id}:1`, retry));
    expect(await claim()).toEqual([]);
    const again = await eventually(async () => {
      const ids = await claim();
      return ids.length > 0 ? ids : undefined;
    });
    expect(again).toEqual([id]);
    const [row] = await app.database.query<object[]>(
      'select attempts, retries, workflow_id from tasks where id = $1',
      [id],
    );
    expect(row).toEqual({ attempts: 2, retries: 1, workflow_id: `${id}:2` });
  });

  it('changes nothing for a workflow that has the task no more', async () => {
    const project = await runs.started([{ title: 'a' }]);
    const [id = ''] = await claim();
    await app.database.transaction(async (tx) => {
      const stale = `${id}:0`;
      expect(await transitions.start(tx, id, stale)).toBe(false);
      const ending = { state: 'failed', exitReason: 'error', output: 'all' } as const;
      expect(await transitions.end(tx, id, { workflowId: stale }, ending)).toBeUndefined();
      await transitions.giveBack(tx, id, stale);
    });
    expect(await runs.tasks(project)).toMatchObject([{ state: 'running' }]);
    await end(id);
    await end(id);
    expect(await runs.status(project)).toBe('completed');
  });

  it('runs every task of a random graph after what it depends on, and counts right whatever fails', async () => {
    for (let trial = 0; trial < 6; trial++) {
      const size = 5 + Math.floor(Math.random() * 20);
      const tasks = Array.from({ length: size }, (_, index): GraphTask => ({
        title: String(index),
        dependsOn: Array.from({ length: index }, (_none, other) => other).filter(() => Math.random() < 0.2),
      }));
      const project = await runs.started(tasks);
      const done = new Set<string>();
      const isFailing = trial % 2 === 1;
      for (;;) {
        const ids = await claim({ batch: 4 });
        if (ids.length === 0) break;
        for (const title of await titlesOf(ids)) {
          const needed = tasks[Number(title)]?.dependsOn ?? [];
          expect(needed.filter((other) => !done.has(String(other)))).toEqual([]);
        }
        // At once: they free and skip the same tasks.
        await Promise.all(
          ids.map(async (id) => {
            const state = isFailing && Math.random() < 0.15 ? 'failed' : 'succeeded';
            await end(id, state);
            const [title = ''] = await titlesOf([id]);
            if (state === 'succeeded') done.add(title);
          }),
        );
      }
      expect(await runs.status(project)).toBe(done.size === size ? 'completed' : 'failed');
      const [run] = await app.database.query<object[]>(
        `select tasks_done, (select count(*)::int from tasks t where t.run_id = r.id and state in
          ('blocked', 'ready', 'running', 'waiting')) as open from project_runs r where project_id = $1`,
        [fromApiId('prj', project)],
      );
      expect(run).toEqual({ tasks_done: size, open: 0 });
    }
  }, 60_000);

  it('holds the project while a task ends, also when it had to wait for it', async () => {
    const project = fromApiId('prj', await runs.started([{ title: 'a' }, { title: 'b' }]));
    const [id = ''] = await claim();
    const isFree = async (): Promise<boolean> =>
      await app.database.transaction(async (tx) => {
        const rows = await tx.query<object[]>(
          'select id from projects where id = $1 for no key update skip locked',
          [project],
        );
        return rows.length > 0;
      });
    let ending: Promise<boolean> | undefined;
    await app.database.transaction(async (first) => {
      await first.query('update projects set updated_at = clock_timestamp() where id = $1', [project]);
      ending = app.database.transaction(async (second) => {
        const ending = { state: 'succeeded', exitReason: 'completed', output: 'last' } as const;
        await transitions.end(second, id, { workflowId: `${id}:1` }, ending);
        return await isFree();
      });
      await untilSomeoneWaits(app.database);
    });
    expect(await ending).toBe(false);
    expect(await isFree()).toBe(true);
  });

  it('ends and frees tasks while others cancel, pause and retry, without a deadlock or a lost count', async () => {
    const tasks = Array.from({ length: 30 }, (_, index): GraphTask => ({
      title: String(index),
      dependsOn: index < 5 ? [] : [index % 5],
    }));
    const projects = await Promise.all([runs.started(tasks), runs.started(tasks)]);
    const work = async (): Promise<void> => {
      for (let round = 0; round < 10; round++) {
        for (const id of await claim({ batch: 3 }))
          await end(id, Math.random() < 0.2 ? 'failed' : 'succeeded');
      }
    };
    const meddle = async (): Promise<void> => {
      for (let round = 0; round < 5; round++) {
        for (const project of projects) {
          await runs.call('POST', `/projects/${project}/${round % 2 ? 'resume' : 'pause'}`);
          const failed = (await runs.tasks(project)).find(({ state }) => state === 'failed');
          if (failed) await runs.call('POST', `/tasks/${failed.id}/retry`);
        }
      }
      await runs.call('POST', `/projects/${projects[0]}/cancel`);
    };
    await Promise.all([work(), work(), meddle()]);
    const rows = await app.database.query<object[]>(
      `select r.tasks_done - (select count(*)::int from tasks t where t.run_id = r.id and state in
        ('succeeded', 'failed', 'cancelled', 'skipped')) as difference from project_runs r`,
    );
    expect(rows).toEqual([{ difference: 0 }, { difference: 0 }]);
  }, 60_000);
});
