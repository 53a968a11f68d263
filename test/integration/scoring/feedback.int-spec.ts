import { newId, type RequestContext, toApiId } from '../../../src/common/index';
import { NotFoundError, ValidationError } from '../../../src/errors/index';
import { FeedbackService } from '../../../src/scoring/index';
import { LearningRows, MAX_FEEDBACK_PER_USER } from '../../../src/scoring/outcomes/learning-rows.repository';
import { OutcomeReports } from '../../../src/scoring/outcomes/outcome-reports.service';
import { OutcomesRepository } from '../../../src/scoring/outcomes/outcomes.repository';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { aContext } from '../../support/factories';
import { anAdmin, type OutcomesNode, startOutcomesNode } from './outcomes-node';

const RECORD = {
  task: { type: 'SUMMARIZATION', confidence: 0.7, secondary: { GENERAL: 0.2 } },
  features: { promptTokens: 120, code: true, language: 'de', complexity: 0.3 },
};

let database: TestDatabase;
let node: OutcomesNode;
let feedback: FeedbackService;
const admin = anAdmin();

beforeAll(async () => {
  database = await createTestDatabase();
  node = await startOutcomesNode(database.url);
  feedback = node.module.get(FeedbackService);
});
afterAll(async () => {
  await node.close();
  await database.drop();
});
beforeEach(async () => {
  await node.database.query('delete from routing_outcomes');
});

const aUser = (): RequestContext => aContext({ principal: { userId: newId(), role: 'operator' } });

interface Attempt {
  readonly model?: string;
  readonly outcome?: string;
  readonly taskType?: string;
}

/** A request in the books with these attempts, and its decision. API ids. */
async function aRequest(
  { principal }: RequestContext,
  attempts: readonly Attempt[] = [{}],
): Promise<{ requestId: string; decisionId: string }> {
  const [requestId, decisionId] = [newId(), newId()];
  for (const [index, { model, outcome, taskType }] of attempts.entries()) {
    await node.database.query(
      `insert into usage_lines (request_id, attempt, admitted_at, user_id, task_type, provider, model, outcome, usage_source,
         prompt_tokens, completion_tokens, cost_pico_usd, started_at)
       values ($1, $2, now(), $3, $4, 'openai', $5, $6, 'provider', 100, 20, 5000000, now())`,
      [
        requestId,
        index + 1,
        principal.userId,
        taskType ?? 'SUMMARIZATION',
        model ?? 'openai/gpt-4o-mini',
        outcome ?? 'succeeded',
      ],
    );
  }
  await node.database.query(
    'insert into decisions (id, request_id, user_id, created_at, record) values ($1, $2, $3, now(), $4)',
    [decisionId, requestId, principal.userId, RECORD],
  );
  return { requestId: toApiId('req', requestId), decisionId: toApiId('dec', decisionId) };
}

const stored = () => node.module.get(OutcomesRepository).list(admin, {}, { limit: 200 });

describe(FeedbackService.name, () => {
  it('keeps the rating with the model, the type and the features of the request', async () => {
    const caller = aUser();
    const { requestId } = await aRequest(caller);
    const given = await feedback.rate(caller, requestId, { score: 0.25, comment: 'Too long' });
    expect(given).toMatchObject({
      model: 'openai/gpt-4o-mini',
      baseModel: 'gpt-4o-mini',
      taskType: 'SUMMARIZATION',
      comment: 'Too long',
    });
    expect(await stored()).toMatchObject([
      {
        id: given.id,
        source: 'feedback',
        model: 'gpt-4o-mini',
        userId: caller.principal.userId,
        score: 0.25,
        comment: 'Too long',
        costPicoUsd: 5_000_000n,
        promptTokens: 100,
        profile: {
          types: [
            { taskType: 'SUMMARIZATION', confidence: 0.7 },
            { taskType: 'GENERAL', confidence: 0.2 },
          ],
          complexity: 0.3,
          language: 'de',
          promptTokens: 120,
          hasCode: true,
        },
      },
    ]);
  });

  it('takes the decision’s id as well, and replaces what was said before of the same answer', async () => {
    const caller = aUser();
    const { requestId, decisionId } = await aRequest(caller);
    const first = await feedback.rate(caller, requestId, { score: 0, comment: 'Wrong' });
    const second = await feedback.rate(caller, decisionId, { score: 1 });
    expect(second).toMatchObject({ id: first.id, requestId: first.requestId });
    expect(await stored()).toMatchObject([{ score: 1, comment: undefined }]);
  });

  it('rates the model whose answer the caller got, not those that failed before or after', async () => {
    const caller = aUser();
    const { requestId } = await aRequest(caller, [
      { model: 'openai/gpt-4o', outcome: 'failed' },
      { model: 'anthropic/claude-sonnet-4-5' },
      { model: 'openai/gpt-4.1', outcome: 'timed_out' },
    ]);
    expect(await feedback.rate(caller, requestId, { score: 1 })).toMatchObject({
      model: 'anthropic/claude-sonnet-4-5',
      baseModel: 'claude-sonnet-4-5',
    });
    expect(await stored()).toMatchObject([{ model: 'claude-sonnet-4-5' }]);
  });

  it.each(['msg_', 'resp_', 'chatcmpl-req_', 'chatcmpl-sandbox-req_'])(
    'takes the id that the answer itself has: %s…',
    async (prefix) => {
      const caller = aUser();
      const { requestId } = await aRequest(caller);
      const digits = requestId.slice('req_'.length);
      const { requestId: rated } = await feedback.rate(caller, `${prefix}${digits}`, { score: 1 });
      expect(toApiId('req', rated)).toBe(requestId);
    },
  );

  it('rates the beginning of an answer that was cut', async () => {
    const caller = aUser();
    const { requestId } = await aRequest(caller, [{ outcome: 'failed' }, { outcome: 'cancelled' }]);
    await expect(feedback.rate(caller, requestId, { score: 0 })).resolves.toBeDefined();
  });

  it('does not tell a foreign completion from a missing one and from nonsense, administrators included', async () => {
    const { requestId, decisionId } = await aRequest(aUser());
    for (const caller of [aUser(), admin]) {
      for (const id of [
        requestId,
        decisionId,
        toApiId('req', newId()),
        toApiId('dec', newId()),
        'nonsense',
        `chatcmpl-${requestId}`,
        'chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT',
      ]) {
        const error: unknown = await feedback
          .rate(caller, id, { score: 0 })
          .catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(NotFoundError);
        expect(error).toHaveProperty('message', 'There is no such completion of yours.');
      }
    }
    expect(await stored()).toEqual([]);
  });

  it('refuses what has no answer, and what is no conversation', async () => {
    const caller = aUser();
    const failed = await aRequest(caller, [{ outcome: 'failed' }]);
    const vectors = await aRequest(caller, [{ taskType: 'EMBEDDING' }]);
    for (const { requestId } of [failed, vectors]) {
      await expect(feedback.rate(caller, requestId, { score: 0 })).rejects.toThrow(ValidationError);
    }
  });

  it('finds the decision of a request that waited long for room, and does without one that is gone', async () => {
    const caller = aUser();
    const { requestId } = await aRequest(caller);
    await node.database.query('delete from decisions where user_id = $1', [caller.principal.userId]);
    await feedback.rate(caller, requestId, { score: 1 });
    expect(await stored()).toMatchObject([{ profile: undefined }]);
    const uuid = requestId.slice(4).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    await node.database.query(
      'insert into decisions (id, request_id, user_id, created_at, record) values ($1, $2, $3, now(), $4)',
      [newId(Date.now() + 1_800_000), uuid, caller.principal.userId, RECORD],
    );
    await feedback.rate(caller, requestId, { score: 1 });
    expect(await stored()).toMatchObject([{ profile: { language: 'de' } }]);
  });

  it('lets the newest ratings of one user count, up to the limit, and every user’s', async () => {
    const [loud, quiet] = [aUser(), aUser()];
    for (let index = 0; index < MAX_FEEDBACK_PER_USER + 5; index += 1) {
      const { requestId } = await aRequest(loud);
      await feedback.rate(loud, requestId, { score: index < 5 ? 1 : 0 });
    }
    const { requestId } = await aRequest(quiet);
    await feedback.rate(quiet, requestId, { score: 1 });
    const rows = await node.module.get(LearningRows).read(node.database);
    expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(MAX_FEEDBACK_PER_USER + 1);
    // The five oldest of the loud one, all that praised, do not count any more.
    expect(rows.reduce((sum, { mean, count }) => sum + mean * count, 0)).toBe(1);
  });
});

describe(OutcomeReports.name, () => {
  const read = (...reports: Parameters<OutcomeReports['read']>[1]) =>
    node.module.get(OutcomeReports).read(admin.principal.userId, reports);

  it('takes model, type, features, cost and tokens of anybody’s request from the books', async () => {
    const { requestId, decisionId } = await aRequest(aUser());
    const found = await read({ score: 1, requestId }, { score: 0.5, decisionId, costUsd: '0.01' });
    expect(found).toMatchObject([
      { model: 'openai/gpt-4o-mini', taskType: 'SUMMARIZATION', costPicoUsd: 5_000_000n, promptTokens: 100 },
      { score: 0.5, costPicoUsd: 10_000_000_000n, profile: { language: 'de' } },
    ]);
    expect(found[0]?.sameAs).toBe(found[1]?.sameAs);
  });

  it.each([
    [{ score: 1, taskType: 'MATH' } as const, 'outcomes.1.model'],
    [{ score: 1, model: 'x' }, 'outcomes.1.taskType'],
    [{ score: 1, requestId: toApiId('req', newId()) }, 'outcomes.1.requestId'],
    [{ score: 1, decisionId: toApiId('dec', newId()) }, 'outcomes.1.decisionId'],
    [{ score: 1, model: 'x', requestId: toApiId('req', newId()) }, 'outcomes.1.model'],
  ])('names the report and the field that is wrong: %j', async (wrong, param) => {
    const right = { score: 1, model: 'x', taskType: 'MATH' } as const;
    await expect(read(right, wrong)).rejects.toMatchObject({ code: 'VALIDATION_FAILED', param });
  });
});
