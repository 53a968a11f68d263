import { OutcomesRepository } from '../../../src/scoring/outcomes/outcomes.repository';
import { OutcomesService } from '../../../src/scoring/outcomes/outcomes.service';
import { readOutcomeFile } from '../../../src/scoring/outcomes/outcome-csv';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { anAdmin, type OutcomesNode, outcomes, startOutcomesNode } from './outcomes-node';

const MODEL = 'openai/gpt-4o-mini';
const HEADER = 'pool,prompt_id,task_type,dataset,model,score,cost_usd,in_tokens,out_tokens';
const file = (...lines: string[]) => readOutcomeFile(Buffer.from([HEADER, ...lines].join('\n')));

describe(OutcomesService.name, () => {
  const admin = anAdmin();
  let database: TestDatabase;
  let node: OutcomesNode;
  let service: OutcomesService;

  beforeAll(async () => {
    database = await createTestDatabase();
    node = await startOutcomesNode(database.url);
    service = node.module.get(OutcomesService);
  });
  afterEach(async () => {
    await service.remove(admin, {});
  });
  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  const stored = () => node.module.get(OutcomesRepository).list(admin, {}, { limit: 100 });
  const audited = async (action: string) =>
    await node.database.query<{ before: unknown; after: unknown; actor_id: string }[]>(
      'select before, after, actor_id from audit_entries where action = $1 order by position desc limit 1',
      [action],
    );

  it('moves what is expected of the model for the type, at once and in this process', async () => {
    const before = node.expects(MODEL, 'SUMMARIZATION');
    expect(before.observations).toBe(0);
    const { result, version } = await service.create(admin, outcomes(200, { score: 0.1 }));
    expect(result).toEqual({ added: 200, replaced: 0 });
    expect(node.capabilities.current.version).toBe(version);
    const after = node.expects(MODEL, 'SUMMARIZATION');
    expect(after.quality).toBeLessThan(before.quality - 0.2);
    expect(after.observations).toBeGreaterThan(100);
  });

  it('knows a model by any of its names, and stores one that the catalog does not know', async () => {
    const { unknownModels } = await service.create(admin, [
      ...outcomes(1, { model: 'openai/gpt-4o-mini' }),
      ...outcomes(1, { model: 'GPT-4o-mini' }),
      ...outcomes(1, { model: 'nobody/has-this-model' }),
    ]);
    expect(unknownModels).toEqual(['nobody/has-this-model']);
    expect((await stored()).map(({ model }) => model).toSorted()).toEqual([
      'gpt-4o-mini',
      'gpt-4o-mini',
      'nobody/has-this-model',
    ]);
  });

  it('reads a file, keeps its figures, and replaces when the file comes again', async () => {
    const lines = ['p,1,MATH,d,gpt-4o-mini,0.5,4.98e-05,82,1', 'p,2,MATH,d,gpt-4o-mini,1,,,'];
    expect((await service.import(admin, file(...lines))).result).toEqual({ added: 2, replaced: 0 });
    const again = lines.map((line) => line.replace('0.5,', '0.25,'));
    expect((await service.import(admin, file(...again))).result).toEqual({ added: 0, replaced: 2 });
    const rows = await stored();
    expect(rows).toHaveLength(2);
    expect(rows.find(({ promptId }) => promptId === '1')).toMatchObject({
      source: 'csv',
      score: 0.25,
      pool: 'p',
      dataset: 'd',
      costPicoUsd: 49_800_000n,
      promptTokens: 82,
      completionTokens: 1,
      userId: admin.principal.userId,
    });
    expect(rows.find(({ promptId }) => promptId === '2')).toMatchObject({ costPicoUsd: undefined });
  });

  it('takes the last of several lines about the same answer', async () => {
    const twice = file('p,1,MATH,d,gpt-4o-mini,0,,,', 'p,1,MATH,d,gpt-4o-mini,1,,,');
    expect((await service.import(admin, twice)).result).toEqual({ added: 1, replaced: 1 });
    expect((await stored()).map(({ score }) => score)).toEqual([1]);
  });

  it('puts lines without a pool into the one of the call', async () => {
    await service.import(admin, file(',1,MATH,d,gpt-4o-mini,1,,,', 'own,1,MATH,d,gpt-4o-mini,1,,,'), 'call');
    expect(new Set((await stored()).map(({ pool }) => pool))).toEqual(new Set(['call', 'own']));
  });

  it('stores nothing of a file with a wrong line, however late it comes', async () => {
    const version = node.capabilities.current.version;
    const lines = Array.from({ length: 2500 }, (_, index) => `p,${index},MATH,d,gpt-4o-mini,1,,,`);
    const wrong = service.import(admin, file(...lines, 'p,x,MATH,d,gpt-4o-mini,1.2,,,'));
    await expect(wrong).rejects.toMatchObject({
      message: expect.stringContaining('Line 2502, column score must be a number from 0 to 1'),
      param: 'score',
      details: { line: 2502, column: 'score' },
    });
    expect(await stored()).toEqual([]);
    expect(node.capabilities.current.version).toBe(version);
  });

  it('forgets what is removed, and nothing else', async () => {
    await service.create(admin, outcomes(50, { score: 0, pool: 'bad' }));
    await service.create(admin, outcomes(3, { taskType: 'MATH', pool: 'good' }));
    const { result } = await service.remove(admin, { pool: 'bad' });
    expect(result).toBe(50);
    expect(await stored()).toHaveLength(3);
    expect(node.expects(MODEL, 'SUMMARIZATION').quality).toBeGreaterThan(0.5);
    expect(await audited('outcome.remove')).toMatchObject([
      { before: { pool: 'bad', outcomes: 50 }, actor_id: admin.principal.userId },
    ]);
  });

  it('records who reported how many', async () => {
    await service.create(admin, outcomes(2));
    expect(await audited('outcome.create')).toMatchObject([
      { after: { added: 2, replaced: 0 }, actor_id: admin.principal.userId },
    ]);
    await service.import(admin, file('p,1,MATH,d,gpt-4o-mini,1,,,'));
    expect(await audited('outcome.import')).toMatchObject([{ after: { added: 1, replaced: 0 } }]);
  });

  it('takes two files at once that name the same answers in another order', async () => {
    const lines = Array.from({ length: 1500 }, (_, index) => `p,${index},MATH,d,gpt-4o-mini,1,,,`);
    const both = await Promise.all([
      service.import(admin, file(...lines)),
      service.import(admin, file(...lines.toReversed())),
    ]);
    const total = both.map(({ result }) => result.added + result.replaced);
    expect(total).toEqual([1500, 1500]);
    expect(new Set(both.map(({ result }) => result.added))).toEqual(new Set([0, 1500]));
  });
});
