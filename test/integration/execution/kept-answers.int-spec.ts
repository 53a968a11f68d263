import { isJsonObject, newId, type RequestContext } from '../../../src/common/index';
import { type AnswerToKeep, CompletionPipeline } from '../../../src/execution/index';
import { adminContext, startApp, type TestApp } from '../../support/app';
import { aRequest } from '../../support/factories';
import { startTruthProvider, type TruthProvider } from '../../support/truth-provider/truth-provider';

const request = aRequest({ model: 'openai/gpt-4o-mini', max_tokens: 10 }, { fallback: 'none', cache: 'off' });

describe('an answer that durable work keeps', () => {
  let truth: TruthProvider;
  let app: TestApp;

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({ OPENAI_BASE_URL: truth.url });
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
  });

  const context = (): RequestContext => ({
    ...adminContext(app.admin),
    requestId: newId(),
    stepKey: 'task.0.round-1',
  });

  it('is handed over before it is booked, with what it cost', async () => {
    await truth.script({ answer: 'Forty-two.' });
    const kept: AnswerToKeep[] = [];
    const booked: number[] = [];
    const completion = await app.app
      .get(CompletionPipeline)
      .run(context(), request, undefined, async (answer) => {
        kept.push(answer);
        booked.push((await app.lines()).length);
      });
    expect(booked).toEqual([0]);
    expect(await app.lines()).toHaveLength(1);
    expect(kept).toMatchObject([
      { model: 'openai/gpt-4o-mini', body: { choices: [{ message: { content: 'Forty-two.' } }] } },
    ]);
    expect(kept[0]?.totals.costPicoUsd).toBe(completion.totals.costPicoUsd);
    expect(isJsonObject(kept[0]?.body)).toBe(true);
  });

  it('tells the upstream which step it is, however often it is begun', async () => {
    const before = (await truth.attempts()).length;
    await truth.script({ times: 2, answer: 'Yes.' });
    const pipeline = app.app.get(CompletionPipeline);
    for (let turn = 0; turn < 2; turn++) await pipeline.run(context(), request);
    const keys = (await truth.attempts()).slice(before).map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual(['task.0.round-1', 'task.0.round-1']);
  });

  it('is booked also when it could not be kept', async () => {
    const before = (await app.lines()).length;
    await truth.script({ answer: 'Lost.' });
    const running = app.app
      .get(CompletionPipeline)
      .run(context(), request, undefined, () => Promise.reject(new Error('handed over')));
    await expect(running).rejects.toThrow('handed over');
    expect(await app.lines()).toHaveLength(before + 1);
    expect(await app.reconcile()).toEqual([]);
  });
});
