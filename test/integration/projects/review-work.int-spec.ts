import { DurableEngine } from '../../../src/durable/index';
import { ToolRegistry } from '../../../src/tools/index';
import { startApp, type TestApp } from '../../support/app';
import { ProjectRuns } from '../../support/project-run';
import { startTruthProvider, type TruthProvider } from '../../support/truth-provider/truth-provider';

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

  afterEach(() => jest.restoreAllMocks());

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
