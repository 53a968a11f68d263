import { type Account, startApp, type TestApp } from '../../support/app';
import { ProjectRuns } from '../../support/project-run';

describe('the agent of a task that an administrator changes', () => {
  let app: TestApp;
  let owner: Account;
  let runs: ProjectRuns;

  beforeAll(async () => {
    app = await startApp();
    owner = await app.register();
    runs = new ProjectRuns(app, owner);
    await runs.agent('of-the-owner');
    await new ProjectRuns(app, app.admin).agent('of-the-administrator');
  });

  afterAll(() => app.close());

  it('is one that the owner has', async () => {
    const project = await runs.approved([{}]);
    const [task] = await runs.tasks(project);
    const change = (agent: string, credential: string) =>
      app.call<{ agent: string }>('PATCH', `/api/v1/tasks/${task?.id}`, { body: { agent }, credential });
    const unknown = { status: 400, body: { error: { code: 'UNKNOWN_AGENT', param: 'agent' } } };
    for (const credential of [app.admin.key, owner.key]) {
      expect(await change('of-the-administrator', credential)).toMatchObject(unknown);
      const mended = await change('of-the-owner', credential);
      expect([mended.status, mended.body.agent]).toEqual([200, 'of-the-owner']);
    }
  });
});
