import { fromApiId } from '../../../src/common/index';
import { DurableEngine } from '../../../src/durable/index';
import { EarlierResults } from '../../../src/projects/runs/earlier-results.service';
import { ToolRegistry } from '../../../src/tools/index';
import { startApp, type TestApp } from '../../support/app';
import { eventually } from '../../support/eventually';
import { ProjectRuns } from '../../support/project-run';
import { startTruthProvider, type TruthProvider } from '../../support/truth-provider/truth-provider';

const uuid = (id?: string): string => fromApiId('tsk', id ?? '') ?? '';
const script = (behaviour: object): string => `[[script:${JSON.stringify(behaviour)}]]`;

describe('tasks that are carried out', () => {
  let truth: TruthProvider;
  let app: TestApp;
  let runs: ProjectRuns;

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({
      OPENAI_BASE_URL: truth.url,
      PROJECT_WORKER: 'on',
      TASK_RETRY_BASE_MS: '20',
      MAX_TASK_RETRIES: '2',
      DURABLE_DRAIN_MS: '200',
    });
    app.app.get(ToolRegistry).register({
      name: 'counter',
      description: 'Counts',
      parameters: { type: 'object' },
      run: () => Promise.resolve({ counted: 1 }),
    });
    runs = new ProjectRuns(app, await app.register());
    await runs.agent('worker', { tools: ['counter'] });
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await truth.clearScripts();
  });

  it('tell of everything once, also where a transaction was done twice', async () => {
    const engine = app.app.get(DurableEngine);
    const guarded = engine.guarded.bind(engine);
    jest.spyOn(engine, 'guarded').mockImplementation(async (work) => {
      await guarded(work);
      return await guarded(work);
    });
    const toolCalls = [{ name: 'counter', arguments: {} }];
    const description = script({ toolRounds: 1, toolCalls, answer: 'Done.' });
    const project = await runs.started([{ description }]);
    await runs.until(project, 'completed');
    const events = await app.database.query<{ type: string }[]>(
      `select type from events where resource = $1 and type like 'task.%' order by written`,
      [project],
    );
    expect(events.map(({ type }) => type)).toEqual(['task.started', 'task.progress', 'task.succeeded']);
  });

  it('are asked for under another key when the model said nothing, and keep what they have', async () => {
    const before = (await truth.attempts()).length;
    await truth.script(
      { toolCalls: [{ name: 'counter', arguments: {} }] },
      { answer: '' },
      { answer: '', fault: { kind: 'status', status: 503 } },
      { answer: 'Done.' },
    );
    const project = await runs.started([{}]);
    await runs.until(project, 'completed');
    expect(await runs.tasks(project)).toMatchObject([{ output: 'Done.', retries: 2, steps: 3 }]);
    const keys = (await truth.attempts())
      .slice(before)
      .map(({ headers }) => headers['idempotency-key']?.replace(/^[0-9a-f-]{36}/, ''));
    // What failed may have been answered all the same: the key stays.
    expect(keys).toEqual(['.0.round-1', '.0.round-2', '.1.round-2', '.1.round-2']);
  });

  describe('with results of earlier tasks', () => {
    const summaries = async () =>
      (await truth.attempts()).filter(({ body }) => JSON.stringify(body).includes('You shorten the result'));

    /** The last one depends on the others, which have succeeded with these outputs. */
    async function behind(outputs: readonly string[]): Promise<{ project: string; id: string }> {
      const dependsOn = outputs.map((_, index) => index);
      const project = await runs.approved([...outputs.map(() => ({})), { title: 'After', dependsOn }]);
      const tasks = await runs.tasks(project);
      const database = app.database;
      for (const [index, output] of outputs.entries()) {
        await database.query(
          `update tasks set state = 'succeeded', exit_reason = 'completed', output = $2 where id = $1`,
          [uuid(tasks[index]?.id), output],
        );
      }
      const id = uuid(tasks.at(-1)?.id);
      await database.query(`update tasks set state = 'ready', open_dependencies = 0 where id = $1`, [id]);
      await database.query(
        `update project_runs set tasks_done = $1 where id = (select run_id from tasks where id = $2)`,
        [outputs.length, id],
      );
      return { project, id };
    }

    it('are given short ones as they are, whatever their characters', async () => {
      const { id } = await behind(['😀 teal 😀', 'x'.repeat(30_000)]);
      const [short, long] = await app.app.get(EarlierResults).of(id, new Map());
      expect(short?.output).toBe('😀 teal 😀');
      expect(long?.output).toContain('[… cut …]');
    });

    it('summarise none of them while their run is paused', async () => {
      const engine = app.app.get(DurableEngine);
      const fenced = engine.fenced.bind(engine);
      const { project } = await behind(Array<string>(5).fill('long '.repeat(4000)));
      const before = (await summaries()).length;
      jest.spyOn(engine, 'fenced').mockImplementationOnce(async (name, work) => {
        await runs.call('POST', `/projects/${project}/pause`);
        return await fenced(name, work);
      });
      await runs.call('POST', `/projects/${project}/start`);
      await eventually(async () => {
        const { state, attempts } = (await runs.tasks(project)).at(-1) ?? {};
        return (attempts === 1 && state === 'ready') || undefined;
      });
      expect(await summaries()).toHaveLength(before);
      await runs.call('POST', `/projects/${project}/resume`);
      await runs.until(project, 'completed');
      expect(await summaries()).toHaveLength(before + 5);
    });
  });

  it('are not asked for again when the model used up its tokens and said nothing', async () => {
    const before = (await truth.attempts()).length;
    const project = await runs.started([{ description: script({ answer: '', finishReason: 'length' }) }]);
    await runs.until(project, 'failed');
    expect(await runs.tasks(project)).toMatchObject([
      { state: 'failed', exitReason: 'max_tokens', retries: 0, error: { code: 'EMPTY_ANSWER' } },
    ]);
    expect(await truth.attempts()).toHaveLength(before + 1);
  });
});
