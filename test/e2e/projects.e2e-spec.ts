import { setTimeout as delay } from 'node:timers/promises';
import { type JsonObject, parseUsd } from '../../src/common/index';
import { ToolRegistry } from '../../src/tools/index';
import { type Account, startApp, type TestApp } from '../support/app';
import { connectEvents } from '../support/event-source';
import { eventually } from '../support/eventually';
import { ProjectRuns, type ShownRun } from '../support/project-run';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const text = (body: Readonly<Record<string, unknown>>): string => JSON.stringify(body.messages);
const script = (behaviour: object): string => `[[script:${JSON.stringify(behaviour)}]]`;

describe('projects at work', () => {
  let truth: TruthProvider;
  let app: TestApp;
  let owner: Account;
  let runs: ProjectRuns;
  const toolCalls: JsonObject[] = [];

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({
      OPENAI_BASE_URL: truth.url,
      PROJECT_WORKER: 'on',
      TASK_RETRY_BASE_MS: '20',
      TASK_CONTEXT_CHARS: '2000',
      MAX_TASK_RETRIES: '2',
      DURABLE_DRAIN_MS: '200',
    });
    const tools = app.app.get(ToolRegistry);
    const parameters = { type: 'object', properties: { n: { type: 'integer' } } };
    tools.register({
      name: 'counter',
      description: 'Counts',
      parameters,
      run: (_ctx, args) => {
        toolCalls.push(args);
        return Promise.resolve({ counted: args.n ?? null });
      },
    });
    tools.register({
      name: 'broken',
      description: 'Fails',
      parameters,
      run: () => Promise.reject(new Error('the disk is full')),
    });
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
  });

  beforeEach(async () => {
    toolCalls.length = 0;
    owner = await app.register();
    runs = new ProjectRuns(app, owner);
    await runs.agent('worker', { tools: ['counter', 'broken'] });
  });

  afterEach(() => truth.clearScripts());

  const since = async (before: number) => (await truth.attempts()).slice(before);

  it('gives the results of earlier tasks to those that depend on them', async () => {
    const before = (await truth.attempts()).length;
    const project = await runs.started([
      { title: 'Choose', description: script({ answer: 'The colour is teal.' }) },
      { title: 'Paint', dependsOn: [0] },
    ]);
    await runs.until(project, 'completed');
    const [choose, paint] = await runs.tasks(project);
    expect(choose).toMatchObject({
      state: 'succeeded',
      exitReason: 'completed',
      output: 'The colour is teal.',
      attempts: 1,
      retries: 0,
      steps: 1,
      error: null,
    });
    expect(paint?.dependsOn).toEqual([choose?.id]);
    const [first, second] = await since(before);
    expect(text(first?.body ?? {})).not.toContain('The colour is teal.\\n');
    expect(text(second?.body ?? {})).toContain('The colour is teal.');
    expect(first?.headers['idempotency-key']).toMatch(/\.0\.round-1$/);
    const lines = await app.lines();
    expect(parseUsd(choose?.costUsd ?? '')).toBeGreaterThan(0n);
    expect(lines.length).toBeGreaterThanOrEqual(2);
    const { body } = await runs.call<{ data: ShownRun[] }>('GET', `/projects/${project}/runs`);
    expect(body.data).toMatchObject([
      { number: 1, status: 'completed', percentDone: 100, tasks: { succeeded: 2, total: 2 } },
    ]);
  });

  it('shortens results that are too long, by a metered summary, and cuts them where that fails', async () => {
    const before = (await truth.attempts()).length;
    const tasks = [
      { title: 'Long', description: script({ answer: 'long '.repeat(900) }), maxTokens: 2000 },
      { title: 'Short', description: script({ answer: 'SHORT AND WHOLE' }) },
      { title: 'After', dependsOn: [0, 1], description: script({ answer: 'done' }) },
    ];
    const project = await runs.started(tasks);
    await runs.until(project, 'completed');
    const given = (attempts: Awaited<ReturnType<typeof since>>): string =>
      text(attempts.find(({ body }) => text(body).includes('# Task: After'))?.body ?? {});
    const attempts = await since(before);
    const summary = attempts.find(({ body }) => text(body).includes('You shorten the result'));
    expect(summary?.headers['idempotency-key']).toMatch(/\.0\.earlier-/);
    expect(given(attempts)).toContain('SHORT AND WHOLE');
    expect(given(attempts)).not.toContain('long long');
    // The round and the summary.
    expect((await runs.tasks(project))[2]?.steps).toBe(2);
    await truth.script({
      times: 'always',
      model: summary?.model ?? '',
      fault: { kind: 'status', status: 400 },
    });
    const second = (await truth.attempts()).length;
    const other = await runs.started(tasks.map((task) => ({ ...task, model: 'openai/gpt-4o' })));
    await runs.until(other, 'completed');
    expect(given(await since(second))).toContain('[… cut …]');
    expect(given(await since(second)).length).toBeLessThan(4500);
  });

  it('runs the tools that a model calls and asks again', async () => {
    const before = (await truth.attempts()).length;
    const project = await runs.started([
      {
        description: script({
          toolRounds: 2,
          toolCalls: [
            { name: 'counter', arguments: { n: 1 } },
            { name: 'counter', arguments: { n: 2 } },
          ],
          answer: 'Counted.',
        }),
      },
    ]);
    await runs.until(project, 'completed');
    const [task] = await runs.tasks(project);
    expect(task).toMatchObject({ state: 'succeeded', output: 'Counted.', steps: 3 + 4 });
    expect(toolCalls).toHaveLength(4);
    const attempts = await since(before);
    expect(attempts).toHaveLength(3);
    expect(text(attempts[2]?.body ?? {})).toContain('{\\"counted\\":2}');
  });

  it('ends a task whose tool fails twice in a row, and skips what depends on it', async () => {
    const project = await runs.started([
      {
        title: 'Save',
        description: script({
          toolRounds: 9,
          toolCalls: [{ name: 'broken', arguments: {} }],
          answer: 'Never',
        }),
      },
      { title: 'Then', dependsOn: [0] },
      { title: 'Later', dependsOn: [1] },
      { title: 'Beside' },
    ]);
    await runs.until(project, 'failed');
    const tasks = await runs.tasks(project);
    expect(tasks.map(({ state, exitReason }) => [state, exitReason])).toEqual([
      ['failed', 'tool_failed'],
      ['skipped', 'dependency'],
      ['skipped', 'dependency'],
      ['succeeded', 'completed'],
    ]);
  });

  it('keeps what a task has by the end of the budget', async () => {
    const before = (await truth.attempts()).length;
    const description = script({
      toolRounds: 50,
      toolCalls: [{ name: 'counter', arguments: { n: 1 } }],
      answer: 'Half of it. ',
      usage: { promptTokens: 100, completionTokens: 100 },
    });
    const project = await runs.started([{ description, maxTokens: 200 }], { budgetUsd: '0.0005' });
    await runs.until(project, 'failed');
    const [task] = await runs.tasks(project);
    expect(task).toMatchObject({ state: 'failed', exitReason: 'budget', retries: 0 });
    expect((await since(before)).length).toBeGreaterThan(0);
    expect(task?.steps).toBeGreaterThan(0);
    const { body } = await runs.call<{ spentUsd: string }>('GET', `/projects/${project}`);
    expect(parseUsd(body.spentUsd)).toBeLessThanOrEqual(parseUsd('0.0005'));
    expect(parseUsd(body.spentUsd)).toBe(parseUsd(task?.costUsd ?? '0'));
  });

  it('tries again after a failure that passes, without a slot meanwhile', async () => {
    const before = (await truth.attempts()).length;
    await truth.script({
      name: 'limited',
      steps: [{ fault: { kind: 'status', status: 429, retryAfter: 1 } }, { answer: 'Now.' }],
    });
    const project = await runs.started([{ description: '[[script:limited]]' }]);
    const waiting = await eventually(async () =>
      (await runs.tasks(project)).find((t) => t.state === 'waiting'),
    );
    expect(waiting).toMatchObject({
      waitingFor: 'retry',
      retries: 1,
      error: { code: 'PROVIDER_RATE_LIMITED' },
    });
    expect(waiting.readyAt).not.toBeNull();
    await runs.until(project, 'completed');
    const [task] = await runs.tasks(project);
    expect(task).toMatchObject({ output: 'Now.', attempts: 2, retries: 1, error: null });
    const [first, second] = await since(before);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1000);
  });

  it('gives up after MAX_TASK_RETRIES, refuses more, and forks without paying for what there is', async () => {
    await truth.script({ name: 'down', fault: { kind: 'status', status: 503 } });
    const project = await runs.started([
      { title: 'Good' },
      { title: 'Bad', description: '[[script:down]]', dependsOn: [0] },
      { title: 'Last', dependsOn: [1] },
    ]);
    await runs.until(project, 'failed');
    const [good, bad, last] = await runs.tasks(project);
    expect(bad).toMatchObject({ state: 'failed', exitReason: 'retries', retries: 2, attempts: 3 });
    const refused = await runs.call('POST', `/tasks/${bad?.id}/retry`);
    expect([refused.status, refused.body.error.code]).toEqual([400, 'RETRY_LIMIT']);
    expect((await runs.call('POST', `/tasks/${last?.id}/retry`)).status).toBe(409);
    await truth.clearScripts();
    await truth.script({ name: 'down', answer: 'It works.' });
    const before = (await truth.attempts()).length;
    const fork = await runs.call<ShownRun>('POST', `/projects/${project}/fork`);
    expect([fork.status, fork.body.number, fork.body.tasksReused]).toEqual([200, 2, 1]);
    await runs.until(project, 'completed');
    const forked = await runs.tasks(project);
    expect(forked[0]).toMatchObject({
      output: good?.output,
      reusedFrom: good?.id,
      costUsd: '0',
      attempts: 0,
    });
    expect(await since(before)).toHaveLength(2);
  });

  it('forks at any task: it and what depends on it is done anew, nothing else', async () => {
    const project = await runs.started([
      { title: 'A' },
      { title: 'B', dependsOn: [0] },
      { title: 'C', dependsOn: [1] },
      { title: 'D', dependsOn: [0] },
    ]);
    await runs.until(project, 'completed');
    const [, second] = await runs.tasks(project);
    const before = (await truth.attempts()).length;
    await runs.call('POST', `/projects/${project}/fork`, { fromTaskId: second?.id });
    await runs.until(project, 'completed');
    expect((await runs.tasks(project)).map(({ reusedFrom }) => reusedFrom !== null)).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect(await since(before)).toHaveLength(2);
    const foreign = { fromTaskId: second?.id };
    const other = await runs.started([{}]);
    await runs.until(other, 'completed');
    expect((await runs.call('POST', `/projects/${other}/fork`, foreign)).status).toBe(404);
  });

  it('tries a failed task again with the answers it has', async () => {
    await truth.script({
      name: 'halfway',
      steps: [
        { toolRounds: 1, toolCalls: [{ name: 'counter', arguments: { n: 1 } }] },
        { fault: { kind: 'status', status: 400 } },
        { answer: 'At last.' },
      ],
    });
    const project = await runs.started([
      { description: '[[script:halfway]]' },
      { dependsOn: [0] },
      { dependsOn: [1] },
    ]);
    await runs.until(project, 'failed');
    const [failed] = await runs.tasks(project);
    expect(failed).toMatchObject({ state: 'failed', exitReason: 'error', retries: 0 });
    const before = (await truth.attempts()).length;
    expect((await runs.call('POST', `/tasks/${failed?.id}/retry`)).status).toBe(200);
    await runs.until(project, 'completed');
    expect((await runs.tasks(project)).map(({ state }) => state)).toEqual(Array(3).fill('succeeded'));
    expect(toolCalls).toHaveLength(1);
    const attempts = await since(before);
    expect(attempts).toHaveLength(3);
    expect(text(attempts[0]?.body ?? {})).toContain('counted');
  });

  it('pauses after the round and resumes with what is kept', async () => {
    const description = script({
      toolRounds: 3,
      toolCalls: [{ name: 'counter', arguments: { n: 1 } }],
      answer: 'Done.',
      delayMs: 300,
    });
    const before = (await truth.attempts()).length;
    const project = await runs.started([{ description }, { dependsOn: [0] }]);
    await truth.waitFor((attempts) => attempts.length > before);
    expect((await runs.call('POST', `/projects/${project}/pause`)).body).toMatchObject({ status: 'paused' });
    expect((await runs.call('POST', `/projects/${project}/pause`)).status).toBe(200);
    await eventually(async () => (await runs.tasks(project))[0]?.state === 'ready' || undefined);
    const paused = (await truth.attempts()).length;
    await delay(400);
    expect((await truth.attempts()).length).toBe(paused);
    expect((await runs.call('POST', `/projects/${project}/resume`)).body).toMatchObject({
      status: 'running',
    });
    await runs.until(project, 'completed');
    expect(await since(before)).toHaveLength(5);
    expect(toolCalls).toHaveLength(3);
  });

  it('aborts what is under way within a second of a cancellation and keeps what there is', async () => {
    const before = (await truth.attempts()).length;
    await truth.script({
      name: 'slow',
      steps: [
        {
          toolRounds: 1,
          toolCalls: [{ name: 'counter', arguments: { n: 1 } }],
        },
        { answer: 'Too late', delayMs: 20_000 },
      ],
    });
    const project = await runs.started([{ description: '[[script:slow]]' }, { dependsOn: [0] }]);
    await truth.waitFor((attempts) => attempts.length === before + 2);
    const askedAt = performance.now();
    const cancelled = await runs.call('POST', `/projects/${project}/cancel`);
    expect(cancelled.body).toMatchObject({ status: 'cancelled' });
    await truth.waitFor((attempts) => attempts[before + 1]?.outcome === 'client_closed');
    expect(performance.now() - askedAt).toBeLessThan(1000);
    const tasks = await runs.tasks(project);
    expect(tasks.map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
    await delay(200);
    expect((await runs.tasks(project)).map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
    expect((await runs.call('POST', `/projects/${project}/cancel`)).status).toBe(200);
    expect((await runs.call('POST', `/projects/${project}/pause`)).status).toBe(409);
    expect(await app.reconcile()).toEqual([]);
  });

  it('cancels one task and skips what depends on it', async () => {
    const before = (await truth.attempts()).length;
    const project = await runs.started([
      { description: script({ answer: 'Late', delayMs: 20_000 }) },
      { dependsOn: [0] },
    ]);
    await truth.waitFor((attempts) => attempts.length > before);
    const [running] = await runs.tasks(project);
    const answer = await runs.call('POST', `/tasks/${running?.id}/cancel`);
    expect(answer.body).toMatchObject({ state: 'cancelled' });
    await truth.waitFor((attempts) => attempts[before]?.outcome === 'client_closed');
    await runs.until(project, 'failed');
    expect((await runs.tasks(project)).map(({ state }) => state)).toEqual(['cancelled', 'skipped']);
  });

  it('waits for a person where the agent is one', async () => {
    await runs.agent('boss', { mode: 'interactive' });
    const before = (await truth.attempts()).length;
    const project = await runs.started([{ agent: 'boss' }, { title: 'After', dependsOn: [0] }]);
    const [asked] = await eventually(async () => {
      const tasks = await runs.tasks(project);
      return tasks[0]?.state === 'waiting' ? tasks : undefined;
    });
    expect(asked?.waitingFor).toBe('answer');
    const answer = await runs.call('POST', `/tasks/${asked?.id}/answer`, { output: 'Make it blue.' });
    expect(answer.body).toMatchObject({
      state: 'succeeded',
      output: 'Make it blue.',
      answeredBy: owner.userId,
    });
    expect((await runs.call('POST', `/tasks/${asked?.id}/answer`, { output: 'No.' })).status).toBe(409);
    await runs.until(project, 'completed');
    const attempts = await since(before);
    expect(attempts).toHaveLength(1);
    expect(text(attempts[0]?.body ?? {})).toContain('Make it blue.');
  });

  it('ends a task at its deadline', async () => {
    await runs.agent('quick', { limits: { timeoutMs: 1000 } });
    const description = script({ answer: 'Late', delayMs: 20_000 });
    const project = await runs.started([{ agent: 'quick', description }]);
    await runs.until(project, 'failed');
    expect(await runs.tasks(project)).toMatchObject([{ state: 'failed', exitReason: 'timeout' }]);
  });

  it('tells followers everything once and in order, with cost and progress', async () => {
    const project = await runs.approved([{ title: 'One' }, { title: 'Two', dependsOn: [0] }]);
    const token = await runs.call<{ token: string }>('POST', `/events/${project}/token`);
    const url = `${app.url}/api/v1/projects/${project}/events?token=${token.body.token}`;
    const stream = await connectEvents(url, { 'last-event-id': '0' });
    await runs.call('POST', `/projects/${project}/start`);
    await runs.until(project, 'completed');
    const types = (): unknown[] => stream.events.map(({ data }) => data.type);
    await eventually(() => Promise.resolve(types().includes('project.completed') || undefined));
    expect(types()).toEqual([
      'project.started',
      'task.started',
      'task.succeeded',
      'task.started',
      'task.succeeded',
      'project.completed',
    ]);
    const [, started, succeeded] = stream.events.map(({ data }) => data.data as JsonObject);
    expect(started).toMatchObject({
      percentDone: 0,
      costUsd: '0',
      estimatedRemainingMs: null,
      agent: 'worker',
    });
    expect(succeeded).toMatchObject({ percentDone: 50, task: { title: 'One', state: 'succeeded' } });
    expect(parseUsd(succeeded?.costUsd as string)).toBeGreaterThan(0n);
    expect(JSON.stringify(stream.events)).not.toContain('Do it');
    const again = await connectEvents(url, { 'last-event-id': stream.events[3]?.id ?? '' });
    await eventually(() => Promise.resolve(again.events.length === 2 || undefined));
    expect(again.events.map(({ id }) => id)).toEqual(stream.events.slice(4).map(({ id }) => id));
    stream.close();
    again.close();
  });

  it('lets ten follow a project and no more', async () => {
    const project = await runs.approved([{}]);
    const headers = { authorization: `Bearer ${owner.key}` };
    const url = `${app.url}/api/v1/projects/${project}/events`;
    const streams = await Promise.all(Array.from({ length: 10 }, () => connectEvents(url, headers)));
    expect(streams.map(({ status }) => status)).toEqual(Array(10).fill(200));
    const refused = await connectEvents(url, headers);
    expect(refused.status).toBe(429);
    for (const stream of streams) stream.close();
  });

  it('gives one agent one task without a project', async () => {
    const body = {
      title: 'Count',
      description: script({
        toolRounds: 1,
        toolCalls: [{ name: 'counter', arguments: { n: 7 } }],
        answer: 'Seven.',
      }),
    };
    const answer = await runs.call('POST', '/agents/worker/execute', body);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ state: 'succeeded', output: 'Seven.', rounds: 2, error: null });
    expect(toolCalls).toEqual([{ n: 7 }]);
    await runs.agent('boss', { mode: 'interactive' });
    expect((await runs.call('POST', '/agents/boss/execute', body)).status).toBe(409);
    expect((await runs.call('POST', '/agents/nobody/execute', body)).status).toBe(404);
    const failing = { title: 'Fail', description: script({ fault: { kind: 'status', status: 400 } }) };
    expect((await runs.call('POST', '/agents/worker/execute', failing)).status).toBe(400);
  });

  it('changes a task that is not under way, and begins it anew', async () => {
    const before = (await truth.attempts()).length;
    const project = await runs.approved([{ title: 'Old' }, { dependsOn: [0] }]);
    const [task] = await runs.tasks(project);
    expect((await runs.call('PATCH', `/tasks/${task?.id}`, { agent: 'nobody' })).body.error.code).toBe(
      'UNKNOWN_AGENT',
    );
    const changed = await runs.call('PATCH', `/tasks/${task?.id}`, { title: 'New', model: 'openai/gpt-4o' });
    expect(changed.body).toMatchObject({ title: 'New', model: 'openai/gpt-4o', description: 'Do it' });
    expect((await runs.call('PATCH', `/tasks/${task?.id}`, { model: null })).body).toMatchObject({
      model: null,
    });
    await runs.call('POST', `/projects/${project}/start`);
    await runs.until(project, 'completed');
    const [first] = await since(before);
    expect(text(first?.body ?? {})).toContain('# Task: New');
    expect(first?.headers['idempotency-key']).toMatch(/\.2\.round-1$/);
    const late = await runs.call('PATCH', `/tasks/${task?.id}`, { title: 'Late' });
    expect([late.status, late.body.error.code]).toEqual([409, 'INVALID_STATUS']);
  });

  it('is for its owner only', async () => {
    const project = await runs.started([{}]);
    await runs.until(project, 'completed');
    const [task] = await runs.tasks(project);
    const stranger = new ProjectRuns(app, await app.register());
    for (const [method, route] of [
      ['GET', `/tasks/${task?.id}`],
      ['PATCH', `/tasks/${task?.id}`],
      ['POST', `/tasks/${task?.id}/retry`],
      ['POST', `/tasks/${task?.id}/cancel`],
      ['POST', `/projects/${project}/cancel`],
      ['POST', `/projects/${project}/fork`],
      ['GET', `/projects/${project}/tasks`],
      ['GET', `/projects/${project}/events`],
    ] as const) {
      const answer = await stranger.call(method, route, method === 'GET' ? undefined : {});
      expect([route, answer.status]).toEqual([route, 404]);
    }
  });
});
