import type { Logger } from 'typeorm';
import { fromApiId, newId, toApiId } from '../../../src/common/index';
import { CompletionPipeline } from '../../../src/execution/index';
import { ApprovalNotes } from '../../../src/projects/plans/approval-notes';
import { PlansRepository } from '../../../src/projects/plans/plan.repository';
import { PlanResults } from '../../../src/projects/plans/plan-results.service';
import { Planner } from '../../../src/projects/plans/planner.service';
import { PROJECT_STATUSES } from '../../../src/projects/project';
import { type Account, type Answer, startApp, type TestApp } from '../../support/app';

interface Made {
  readonly id: string;
}
interface Failure {
  readonly error: { code: string; param: string | null; details?: Record<string, unknown> };
}

const aTask = (title: string, more: object = {}) => ({
  title,
  description: 'Do it',
  agent: 'writer',
  ...more,
});

/** Nothing is carried out here: plans are written by the test in the place of a model. */
describe('projects', () => {
  let app: TestApp;
  let user: Account;

  beforeAll(async () => {
    app = await startApp({ PLANNINGS_PER_MINUTE: '5' });
  });

  afterAll(async () => {
    await app.close();
  });

  beforeEach(async () => {
    user = await app.register();
  });

  afterEach(() => jest.restoreAllMocks());

  const call = <T = Record<string, unknown>>(
    method: string,
    route: string,
    body?: object,
    credential = user.key,
  ): Promise<Answer<T>> => app.call<T>(method, `/api/v1${route}`, { body, credential });

  const sql = <T = Record<string, unknown>>(text: string, ...parameters: unknown[]): Promise<T[]> =>
    app.database.query(text, parameters);

  const uuid = (apiId: string): string => fromApiId(apiId.slice(0, 3) as 'prj', apiId) ?? '';

  async function aProject(more: object = {}): Promise<string> {
    const made = await call<Made>('POST', '/projects', { name: 'Shop', requirements: 'Sell soap', ...more });
    expect(made.status).toBe(201);
    return made.body.id;
  }

  /** A planning that a model has answered. */
  async function aPlan(project: string, tasks: readonly object[]): Promise<string> {
    const plan = await call<Made>('POST', `/projects/${project}/plan`, { maxTasks: 100 });
    expect(plan.status).toBe(202);
    await answer(plan.body.id, JSON.stringify({ summary: 'Work', tasks }));
    return plan.body.id;
  }

  async function answer(plan: string, text: string): Promise<void> {
    const kept = { text, model: 'sandbox/large', finishReason: 'stop' };
    await app.database.transaction(async (tx) => {
      await app.app.get(PlansRepository).keep(tx, uuid(plan), 'ask', kept);
      await app.app.get(PlanResults).finish(tx, uuid(plan));
    });
  }

  const statusOf = async (project: string): Promise<unknown> =>
    (await call(`GET`, `/projects/${project}`)).body.status;

  describe('as rows', () => {
    it('are made, read, changed and listed', async () => {
      const id = await aProject({ budgetUsd: '5' });
      const changed = await call('PATCH', `/projects/${id}`, {
        name: 'Soap',
        requirements: 'More',
        budgetUsd: '7.5',
      });
      expect(changed.body).toMatchObject({
        name: 'Soap',
        requirements: 'More',
        budgetUsd: '7.5',
        status: 'draft',
      });
      const list = await call<{ data: object[] }>('GET', '/projects?q=SO&status=draft');
      expect(list.body.data).toEqual([
        expect.objectContaining({
          id,
          spentUsd: '0',
          budgetUsd: '7.5',
          tasks: expect.objectContaining({ total: 0 }),
        }),
      ]);
      expect(list.body.data[0]).not.toHaveProperty('requirements');
      expect((await call<{ data: object[] }>('GET', '/projects?q=oap')).body.data).toEqual([]);
      const none = await call('PATCH', `/projects/${id}`, { budgetUsd: null });
      expect(none.body.budgetUsd).toBeNull();
    });

    it.each([
      ['no name', { requirements: 'x' }, 'name'],
      ['a long name', { name: 'x'.repeat(201), requirements: 'x' }, 'name'],
      ['no requirements', { name: 'x' }, 'requirements'],
      ['long requirements', { name: 'x', requirements: 'x'.repeat(50_001) }, 'requirements'],
      ['a number as budget', { name: 'x', requirements: 'x', budgetUsd: 5 }, 'budgetUsd'],
    ])('are refused with %s', async (_, body, param) => {
      const refused = await call<Failure>('POST', '/projects', body);
      expect([refused.status, refused.body.error.param]).toEqual([400, param]);
    });

    it('are listed with as many queries for ten as for one', async () => {
      const counts: number[] = [];
      for (const more of [1, 9]) {
        for (let made = 0; made < more; made += 1) {
          const project = await aProject({ budgetUsd: '1' });
          const tasks = [aTask('A'), aTask('B', { dependsOn: [0] })];
          await sql('delete from plans where user_id = $1 and state <> $2', uuid(user.userId), 'approved');
          await sql(`update planning_starts set started_at = now() - interval '1 hour'`);
          await call('POST', `/plans/${await aPlan(project, tasks)}/approve`, {});
        }
        const statements = await statementsOf(() => call('GET', '/projects?limit=200'));
        counts.push(
          statements.filter((text) => /projects|tasks|usage_lines|scope = 'project'/.test(text)).length,
        );
      }
      expect(counts).toEqual([4, 4]);
      const { data } = (await call<{ data: { tasks: object }[] }>('GET', '/projects')).body;
      expect(data).toHaveLength(10);
      for (const { tasks } of data) expect(tasks).toMatchObject({ total: 2, ready: 1, blocked: 1 });
    });
  });

  /** What is sent to PostgreSQL meanwhile. */
  async function statementsOf(work: () => Promise<unknown>): Promise<readonly string[]> {
    const statements: string[] = [];
    const before = app.database.logger;
    app.database.logger = { logQuery: (text: string) => statements.push(text) } as unknown as Logger;
    await work().finally(() => {
      app.database.logger = before;
    });
    return statements;
  }

  describe('and their budgets', () => {
    it('belong to whoever owns the project', async () => {
      const project = await aProject();
      const stranger = await app.register();
      const budget = { scope: 'project', scopeId: project, period: 'total', limitUsd: '3', mode: 'hard' };
      expect((await call('POST', '/budgets', budget, stranger.key)).status).toBe(404);
      const made = await call<Made>('POST', '/budgets', budget);
      expect(made.status).toBe(201);
      expect((await call('GET', `/projects/${project}`)).body.budgetUsd).toBe('3');
      expect((await call('GET', `/budgets/${made.body.id}`, undefined, stranger.key)).status).toBe(404);
      expect((await call('GET', `/budgets/${made.body.id}`)).body).toMatchObject({ scopeId: project });
    });

    it('are not the owner’s to change when an administrator set them', async () => {
      const project = await aProject({ budgetUsd: '1' });
      const raised = await call('PATCH', `/projects/${project}`, { budgetUsd: '2' }, app.admin.key);
      expect(raised.status).toBe(200);
      expect((await call('PATCH', `/projects/${project}`, { budgetUsd: '200' })).status).toBe(403);
      expect((await call('DELETE', `/projects/${project}`)).status).toBe(204);
      expect(await sql('select 1 from budgets where scope_id = $1', uuid(project))).toEqual([]);
    });
  });

  describe('and their plans', () => {
    it('are planned once at a time', async () => {
      const project = await aProject();
      const first = await call('POST', `/projects/${project}/plan`, {});
      expect(first.body).toMatchObject({ state: 'planning', version: 1, projectId: project, tasks: [] });
      const second = await call<Failure>('POST', `/projects/${project}/plan`, {});
      expect(second.status).toBe(409);
      expect(second.body.error).toMatchObject({ code: 'INVALID_STATUS', details: { status: 'planning' } });
      const blocked = await call<Failure>('PATCH', `/projects/${project}`, { requirements: 'Else' });
      expect(blocked.body.error.code).toBe('INVALID_STATUS');
    });

    it('begin at most five times a minute and user, however many ask at once', async () => {
      const projects = await Promise.all(Array.from({ length: 12 }, () => aProject()));
      const answers = await Promise.all(
        projects.map((id) => call<Failure>('POST', `/projects/${id}/plan`, {})),
      );
      const statuses = answers.map(({ status }) => status).toSorted((left, right) => left - right);
      expect(statuses).toEqual([...Array<number>(5).fill(202), ...Array<number>(7).fill(429)]);
      const refused = answers.find(({ status }) => status === 429);
      expect(refused?.body.error.code).toBe('PLANNING_LIMIT_EXCEEDED');
      expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
      const [count] = await sql<{ n: number }>(
        'select count(*)::int as n from plans where user_id = $1',
        uuid(user.userId),
      );
      expect(count?.n).toBe(5);
    });

    it('count against that limit when their project is deleted, too', async () => {
      const statuses: number[] = [];
      for (let times = 0; times < 6; times += 1) {
        const project = await aProject();
        statuses.push((await call('POST', `/projects/${project}/plan`, {})).status);
        expect((await call('DELETE', `/projects/${project}`)).status).toBe(204);
      }
      expect(statuses).toEqual([202, 202, 202, 202, 202, 429]);
    });

    it('are under way at most five at a time and user, however long they take', async () => {
      const begin = async (): Promise<Answer<Failure & Made>> =>
        await call<Failure & Made>('POST', `/projects/${await aProject()}/plan`, {});
      const forget = (): Promise<unknown> =>
        sql(`update planning_starts set started_at = now() - interval '1 hour'`);
      const first = await begin();
      for (let times = 0; times < 3; times += 1) expect((await begin()).status).toBe(202);
      await forget();
      const answers = await Promise.all([begin(), begin(), begin()]);
      const refused = answers.filter(({ status }) => status === 429);
      expect(refused.map(({ body }) => body.error)).toMatchObject(
        Array(2).fill({ code: 'PLANNING_LIMIT_EXCEEDED', details: { limit: 5 } }),
      );
      expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
      await answer(first.body.id, JSON.stringify({ tasks: [aTask('A')] }));
      expect((await begin()).status).toBe(202);
    });

    it('ask for no more tasks than fit into an answer', async () => {
      const project = await aProject();
      const refused = await call<Failure>('POST', `/projects/${project}/plan`, { maxTasks: 101 });
      expect([refused.status, refused.body.error.param]).toEqual([400, 'maxTasks']);
    });

    it('are changed by more people at once than the database has connections', async () => {
      const project = await aProject({ budgetUsd: '1' });
      const plan = await aPlan(project, [aTask('A')]);
      const answers = await Promise.all(
        Array.from({ length: 25 }, (_, at) => [
          call('PATCH', `/plans/${plan}`, { tasks: [aTask(`T${at}`)] }),
          call('PATCH', `/projects/${project}`, { budgetUsd: String(at + 1) }),
        ]).flat(),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array<number>(50).fill(200));
    });

    it('wait with the approval of an older one until the newer one is made', async () => {
      const project = await aProject();
      const first = await aPlan(project, [aTask('A')]);
      const second = await call<Made>('POST', `/projects/${project}/plan`, {});
      const refused = await call<Failure>('POST', `/plans/${first}/approve`, {});
      expect([refused.status, refused.body.error]).toMatchObject([
        409,
        {
          code: 'INVALID_STATUS',
          message: 'It is planning: to approve a plan it must be planned or completed or failed or cancelled',
          details: { status: 'planning', allowed: ['planned', 'completed', 'failed', 'cancelled'] },
        },
      ]);
      await answer(second.body.id, JSON.stringify({ tasks: [aTask('B')] }));
      expect((await call('POST', `/plans/${second.body.id}/approve`, {})).status).toBe(200);
    });

    it('end also where their project went on without them', async () => {
      const project = await aProject();
      const lost = await call<Made>('POST', `/projects/${project}/plan`, {});
      await sql(`update projects set status = 'draft' where id = $1`, uuid(project));
      const awaited = await call<Made>('POST', `/projects/${project}/plan`, {});
      await app.database.transaction((tx) =>
        app.app.get(PlanResults).fail(tx, uuid(lost.body.id), { code: 'PLANNING_ENDED', message: 'Lost' }),
      );
      expect((await call('GET', `/plans/${lost.body.id}`)).body.state).toBe('failed');
      expect(await statusOf(project)).toBe('planning');
      await answer(awaited.body.id, JSON.stringify({ tasks: [aTask('A')] }));
      expect(await statusOf(project)).toBe('planned');
    });

    it('are edited until they are approved, and checked anew each time', async () => {
      const plan = await aPlan(await aProject(), [aTask('A')]);
      const tasks = [aTask('A'), aTask('B', { dependsOn: ['a', 'C', 1, 0.5, null] })];
      const edited = await call<{ tasks: object[]; warnings: { code: string }[] }>(
        'PATCH',
        `/plans/${plan}`,
        {
          summary: 'New',
          tasks,
        },
      );
      expect(edited.body).toMatchObject({ summary: 'New', taskCount: 2, warningCount: 4 });
      expect(edited.body.tasks[1]).toMatchObject({ dependsOn: [0] });
      expect(edited.body.warnings.map(({ code }) => code)).toEqual([
        'UNKNOWN_DEPENDENCY',
        'SELF_DEPENDENCY',
        'INVALID_DEPENDENCY',
        'INVALID_DEPENDENCY',
      ]);
      const circle = await call<Failure>('PATCH', `/plans/${plan}`, {
        tasks: [aTask('A', { dependsOn: ['B'] }), aTask('B', { dependsOn: [0] })],
      });
      expect([circle.status, circle.body.error]).toMatchObject([
        400,
        { code: 'PLAN_CYCLE', details: { path: ['A', 'B', 'A'] } },
      ]);
      const unknown = await call<Failure>('PATCH', `/plans/${plan}`, {
        tasks: [aTask('A', { agent: 'poet' })],
      });
      expect([unknown.status, unknown.body.error.code]).toEqual([400, 'UNKNOWN_AGENT']);
      expect(unknown.body.error.details?.known).toEqual(expect.arrayContaining(['coder', 'writer']));
      const planner = await call<Failure>('PATCH', `/plans/${plan}`, {
        tasks: [aTask('A', { agent: 'planner' })],
      });
      expect([planner.status, planner.body.error.code]).toEqual([400, 'UNKNOWN_AGENT']);
      expect(planner.body.error.details?.known).not.toContain('planner');
    });

    it('need their warnings confirmed', async () => {
      const plan = await aPlan(await aProject(), [aTask('A', { dependsOn: ['Nobody'] })]);
      const refused = await call<Failure>('POST', `/plans/${plan}/approve`, {});
      expect([refused.status, refused.body.error]).toMatchObject([
        409,
        { code: 'WARNINGS_NOT_CONFIRMED', details: { warnings: [{ task: 'A', value: 'Nobody' }] } },
      ]);
      expect((await call('POST', `/plans/${plan}/approve`, { confirmWarnings: true })).status).toBe(200);
      expect((await call<Failure>('PATCH', `/plans/${plan}`, { summary: 'x' })).body.error.code).toBe(
        'INVALID_STATUS',
      );
    });

    it('give way to newer ones', async () => {
      const project = await aProject();
      const first = await aPlan(project, [aTask('A')]);
      const second = await aPlan(project, [aTask('B')]);
      const { data } = (await call<{ data: object[] }>('GET', `/projects/${project}/plans`)).body;
      expect(data).toMatchObject([
        { id: second, version: 2, state: 'ready', taskCount: 1 },
        { id: first, version: 1, state: 'superseded' },
      ]);
      expect((await call('POST', `/plans/${first}/approve`, {})).status).toBe(409);
    });

    it('are not asked for again when their answer was kept before a crash', async () => {
      const project = await aProject();
      const plan = await call<Made>('POST', `/projects/${project}/plan`, {});
      const text = JSON.stringify({ tasks: [aTask('A')] });
      const kept = { text, model: 'sandbox/large', finishReason: 'stop' };
      await app.database.transaction((tx) =>
        app.app.get(PlansRepository).keep(tx, uuid(plan.body.id), 'ask', kept),
      );
      const asked = jest.spyOn(app.app.get(CompletionPipeline), 'run');
      const { signal } = new AbortController();
      const planner = app.app.get(Planner);
      expect(await planner.ask(uuid(plan.body.id), { step: 'ask' }, signal)).toEqual({ kind: 'usable' });
      expect(asked).not.toHaveBeenCalled();
      await app.database.transaction((tx) => app.app.get(PlanResults).finish(tx, uuid(plan.body.id)));
      expect(await planner.ask(uuid(plan.body.id), { step: 'ask' }, signal)).toEqual({ kind: 'gone' });
    });

    it('ask nobody for an owner who may use no models any more', async () => {
      const project = await aProject();
      const plan = await call<Made>('POST', `/projects/${project}/plan`, {});
      await call('DELETE', `/keys/${user.keyId}`, undefined, user.accessToken);
      const { signal } = new AbortController();
      const verdict = await app.app.get(Planner).ask(uuid(plan.body.id), { step: 'ask' }, signal);
      expect(verdict).toMatchObject({ kind: 'failed', error: { code: 'FORBIDDEN' } });
    });

    it('leave the project as it was when nothing comes of them', async () => {
      const project = await aProject();
      const earlier = await aPlan(project, [aTask('A')]);
      const plan = await call<Made>('POST', `/projects/${project}/plan`, {});
      const kept = { text: 'I cannot.', model: 'sandbox/large', finishReason: 'stop' };
      await app.database.transaction(async (tx) => {
        await app.app.get(PlansRepository).keep(tx, uuid(plan.body.id), 'ask', kept);
        await app.app
          .get(PlanResults)
          .fail(tx, uuid(plan.body.id), { code: 'PLAN_UNUSABLE', message: 'No plan' });
      });
      expect((await call('GET', `/projects/${project}`)).body).toMatchObject({
        status: 'planned',
        statusReason: { code: 'PLAN_UNUSABLE' },
        planId: earlier,
      });
      expect((await call('GET', `/plans/${plan.body.id}`)).body).toMatchObject({
        state: 'failed',
        error: { code: 'PLAN_UNUSABLE' },
        rawText: 'I cannot.',
      });
      // What comes too late changes nothing.
      await answer(plan.body.id, JSON.stringify({ tasks: [aTask('Late')] }));
      expect((await call('GET', `/plans/${plan.body.id}`)).body.state).toBe('failed');
    });
  });

  describe('whose run has ended', () => {
    const ENDED = { code: 'TASKS_NOT_SUCCEEDED', message: '1 tasks failed' };

    async function ended(status: string, reason: object | null): Promise<string> {
      const project = await aProject();
      await sql(
        'update projects set status = $2, status_reason = $3 where id = $1',
        uuid(project),
        status,
        reason && JSON.stringify(reason),
      );
      return project;
    }

    async function failedPlanning(project: string): Promise<Record<string, unknown>> {
      const plan = await call<Made>('POST', `/projects/${project}/plan`, {});
      expect((await call('GET', `/projects/${project}`)).body.statusReason).toBeNull();
      const error = { code: 'PLAN_UNUSABLE', message: 'No plan' };
      await app.database.transaction((tx) => app.app.get(PlanResults).fail(tx, uuid(plan.body.id), error));
      return (await call('GET', `/projects/${project}`)).body;
    }

    it.each([
      ['failed', ENDED],
      ['cancelled', { code: 'CANCELLED', message: 'By its owner' }],
      ['completed', null],
    ])('still say why they are %s when a planning fails', async (status, statusReason) => {
      const project = await ended(status, statusReason);
      expect(await failedPlanning(project)).toMatchObject({ status, statusReason });
    });

    it('still say so when it is cancelled', async () => {
      const project = await ended('failed', ENDED);
      await call('POST', `/projects/${project}/plan`, {});
      const cancelled = await call('POST', `/projects/${project}/cancel`);
      expect(cancelled.body).toMatchObject({ status: 'failed', statusReason: ENDED });
    });

    it('say nothing where the planning began before that was kept', async () => {
      const project = await ended('failed', ENDED);
      await call('POST', `/projects/${project}/plan`, {});
      await sql(
        `update plans set asked = (asked::jsonb - 'fromReason')::json where project_id = $1`,
        uuid(project),
      );
      const cancelled = await call('POST', `/projects/${project}/cancel`);
      expect(cancelled.body).toMatchObject({ status: 'failed', statusReason: null });
    });
  });

  it('change their requirements in every status in which nothing is planned or carried out', async () => {
    const project = await aProject();
    const answers: Record<string, number> = {};
    for (const status of PROJECT_STATUSES) {
      await sql('update projects set status = $2 where id = $1', uuid(project), status);
      answers[status] = (await call('PATCH', `/projects/${project}`, { requirements: status })).status;
    }
    const taken = { draft: 200, planned: 200, approved: 200, completed: 200, failed: 200, cancelled: 200 };
    expect(answers).toEqual({ ...taken, planning: 409, running: 409, paused: 409 });
  });

  describe('when a plan is approved', () => {
    it('begin one graph, however often and at once that happens', async () => {
      const project = await aProject();
      const plan = await aPlan(project, [
        aTask('A', { priority: 70, deliverables: ['Text'] }),
        aTask('B', { dependsOn: ['A'] }),
        aTask('C', { dependsOn: [0, 1] }),
      ]);
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => call<{ runId: string }>('POST', `/plans/${plan}/approve`, {})),
      );
      expect(new Set(answers.map(({ status, body }) => `${status} ${body.runId}`)).size).toBe(1);
      expect(answers[0]?.status).toBe(200);
      const again = await call('POST', `/plans/${plan}/approve`, {});
      expect(again.body).toEqual(answers[0]?.body);
      expect(again.body).toMatchObject({ planId: plan, projectId: project, status: 'approved', tasks: 3 });
      const tasks = await sql(
        `select t.title, t.state, t.open_dependencies as open, t.priority, t.position,
           (select array_agg(o.title order by o.position) from task_dependencies d join tasks o on o.id = d.depends_on
            where d.task_id = t.id) as after
         from tasks t where project_id = $1 order by position`,
        uuid(project),
      );
      expect(tasks).toEqual([
        { title: 'A', state: 'ready', open: 0, priority: 70, position: 0, after: null },
        { title: 'B', state: 'blocked', open: 1, priority: 50, position: 1, after: ['A'] },
        { title: 'C', state: 'blocked', open: 2, priority: 50, position: 2, after: ['A', 'B'] },
      ]);
      expect(await statusOf(project)).toBe('approved');
      const events = await sql<{ type: string }>(
        'select type from events where resource = $1 order by written',
        project,
      );
      expect(events.map(({ type }) => type)).toEqual([
        'project.planning',
        'project.planned',
        'project.approved',
      ]);
    });

    it('keep nothing of an approval that broke in between', async () => {
      const project = await aProject();
      const plan = await aPlan(project, [aTask('A')]);
      const broken = jest
        .spyOn(app.app.get(ApprovalNotes), 'approved')
        .mockRejectedValueOnce(new Error('gone'));
      expect((await call('POST', `/plans/${plan}/approve`, {})).status).toBe(500);
      expect(broken).toHaveBeenCalledTimes(1);
      const rows = (): Promise<unknown[]> =>
        sql('select 1 from project_runs where project_id = $1', uuid(project));
      expect([await rows(), await statusOf(project)]).toEqual([[], 'planned']);
      expect((await call('POST', `/plans/${plan}/approve`, {})).status).toBe(200);
      expect(await rows()).toHaveLength(1);
    });

    it('put the run of a newer plan in the place of one that never began', async () => {
      const project = await aProject();
      const first = await aPlan(project, [aTask('A')]);
      const old = await call<{ runId: string }>('POST', `/plans/${first}/approve`, {});
      const second = await aPlan(project, [aTask('B')]);
      const fresh = await call<{ runId: string }>('POST', `/plans/${second}/approve`, {});
      expect(fresh.body.runId).not.toBe(old.body.runId);
      expect(
        await sql(
          'select r.number, r.status, t.state from project_runs r join tasks t on t.run_id = r.id order by number'.replace(
            'order',
            `where r.project_id = '${uuid(project)}' order`,
          ),
        ),
      ).toEqual([
        { number: 1, status: 'cancelled', state: 'cancelled' },
        { number: 2, status: 'approved', state: 'ready' },
      ]);
      expect((await call('GET', `/projects/${project}`)).body.runId).toBe(fresh.body.runId);
    });

    it('take plans of 5,000 tasks', async () => {
      const project = await aProject();
      const plan = await aPlan(project, [aTask('A')]);
      const tasks = Array.from({ length: 5000 }, (_, at) =>
        aTask(`T${at}`, { dependsOn: at === 0 ? [] : [at - 1, `T${Math.floor(at / 2)}`] }),
      );
      const edited = await call('PATCH', `/plans/${plan}`, { tasks });
      expect(edited.body).toMatchObject({ taskCount: 5000 });
      expect((await call('POST', `/plans/${plan}/approve`, { confirmWarnings: true })).body.tasks).toBe(5000);
      const [count] = await sql<{ n: number }>(
        `select count(*)::int as n from tasks where project_id = $1 and state = 'blocked'`,
        uuid(project),
      );
      expect(count?.n).toBe(4999);
    });
  });

  describe('and what their tasks wait for', () => {
    /** Each waits for all before it, until there are so many dependencies. */
    function dense(total: number): object[] {
      const tasks: object[] = [];
      for (let left = total, at = 0; left > 0 || at === 0; at += 1) {
        const dependsOn = Array.from({ length: Math.min(at, left) }, (_, other) => other);
        left -= dependsOn.length;
        tasks.push(aTask(`T${at}`, { dependsOn }));
      }
      return tasks;
    }

    it('are kept up to 50,000 in a plan', async () => {
      const project = await aProject();
      const plan = await aPlan(project, [aTask('A')]);
      const tooMany = await call<Failure>('PATCH', `/plans/${plan}`, { tasks: dense(50_001) });
      expect([tooMany.status, tooMany.body.error]).toMatchObject([
        400,
        { code: 'VALIDATION_FAILED', param: 'tasks', details: { limit: 50_000 } },
      ]);
      expect((await call('PATCH', `/plans/${plan}`, { tasks: dense(50_000) })).status).toBe(200);
      const statements = await statementsOf(() => call('POST', `/plans/${plan}/approve`, {}));
      expect(statements.filter((text) => text.includes('into task_dependencies'))).toHaveLength(5);
      const [row] = await sql<{ edges: number; open: number }>(
        `select (select count(*)::int from task_dependencies d join tasks t on t.id = d.task_id where t.project_id = $1)
           as edges, (select sum(open_dependencies)::int from tasks where project_id = $1) as open`,
        uuid(project),
      );
      expect(row).toEqual({ edges: 50_000, open: 50_000 });
    });
  });

  describe('when they are deleted', () => {
    it('take all that was theirs along, but books, decisions and the audit log', async () => {
      const project = await aProject({ budgetUsd: '5' });
      const plan = await aPlan(project, [aTask('A'), aTask('B', { dependsOn: [0] })]);
      await call('POST', `/plans/${plan}/approve`, {});
      await app.chat(user.key, { model: 'sandbox/small' });
      await sql(
        'update usage_lines set project_id = $1 where user_id = $2',
        uuid(project),
        uuid(user.userId),
      );
      const before = await figures(project);
      expect(before).toMatchObject({
        projects: 1,
        plans: 1,
        project_runs: 1,
        tasks: 2,
        events: 3,
        budgets: 1,
      });
      expect((await call('DELETE', `/projects/${project}`)).status).toBe(204);
      const { usage_lines, decisions, audit_entries } = before;
      expect(usage_lines).toBe(1);
      const after = await figures(project);
      expect(after.audit_entries).toBeGreaterThan(audit_entries ?? 0);
      expect(after).toEqual({
        projects: 0,
        plans: 0,
        project_runs: 0,
        tasks: 0,
        events: 0,
        budgets: 0,
        usage_lines,
        decisions,
        audit_entries: after.audit_entries,
      });
      expect((await call('GET', `/projects/${project}`)).status).toBe(404);
      expect((await call('GET', `/plans/${plan}`)).status).toBe(404);
    });

    it('end a planning that is under way', async () => {
      const project = await aProject();
      const plan = await call<Made>('POST', `/projects/${project}/plan`, {});
      expect((await call('DELETE', `/projects/${project}`)).status).toBe(204);
      const [run] = await sql<{ status: string }>(
        'select status from dbos.workflow_status where workflow_uuid = $1',
        uuid(plan.body.id),
      );
      expect(run?.status).toBe('CANCELLED');
    });

    async function figures(project: string): Promise<Record<string, number>> {
      const [row] = await sql<Record<string, number>>(
        `select (select count(*)::int from projects where id = $1) as projects,
           (select count(*)::int from plans where project_id = $1) as plans,
           (select count(*)::int from project_runs where project_id = $1) as project_runs,
           (select count(*)::int from tasks where project_id = $1) as tasks,
           (select count(*)::int from events where resource = $2) as events,
           (select count(*)::int from budgets where scope_id = $1) as budgets,
           (select count(*)::int from usage_lines where project_id = $1) as usage_lines,
           (select count(*)::int from decisions where user_id = $3) as decisions,
           (select count(*)::int from audit_entries where resource_id = $2) as audit_entries`,
        uuid(project),
        project,
        uuid(user.userId),
      );
      return row ?? {};
    }
  });

  it('are nobody else’s', async () => {
    const project = await aProject();
    const plan = await aPlan(project, [aTask('A')]);
    const stranger = await app.register();
    for (const [method, route] of [
      ['GET', `/projects/${project}`],
      ['PATCH', `/projects/${project}`],
      ['DELETE', `/projects/${project}`],
      ['POST', `/projects/${project}/plan`],
      ['GET', `/projects/${project}/plans`],
      ['GET', `/plans/${plan}`],
      ['PATCH', `/plans/${plan}`],
      ['POST', `/plans/${plan}/approve`],
      ['POST', `/events/${project}/token`],
    ] as const) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : {};
      expect([route, (await call(method, route, body, stranger.key)).status]).toEqual([route, 404]);
    }
    expect((await call('POST', `/events/${project}/token`, {})).status).toBe(200);
    expect((await call('GET', `/plans/${toApiId('pln', newId())}`)).status).toBe(404);
  });
});
