import { DataSource } from 'typeorm';
import type { CapabilityContent } from '../../../src/scoring/capabilities/capability-content';
import type { OutcomeProfile } from '../../../src/scoring/capabilities/outcome-row';
import { LearningRows } from '../../../src/scoring/outcomes/learning-rows.repository';
import { OutcomesService } from '../../../src/scoring/outcomes/outcomes.service';
import { CapabilityVersions } from '../../../src/scoring/outcomes/versions/capability-versions.repository';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { anAdmin, type OutcomesNode, outcomes, startOutcomesNode } from './outcomes-node';

describe(LearningRows.name, () => {
  let database: TestDatabase;
  let node: OutcomesNode;
  beforeEach(async () => {
    database = await createTestDatabase();
    node = await startOutcomesNode(database.url);
  });
  afterEach(async () => {
    await node.close();
    await database.drop();
  });

  const profile = (place: number): OutcomeProfile => ({
    types: [{ taskType: 'SUMMARIZATION', confidence: 1 }],
    complexity: 0.3,
    language: 'en',
    promptTokens: 9,
    hasCode: false,
    sketch: [place],
  });

  it('tells of an outcome with a profile the data set that it came from', async () => {
    const told = ['orders', 'orders', 'claims', undefined].flatMap((dataset, place) =>
      outcomes(1, { dataset, profile: profile(place) }),
    );
    const service = node.module.get(OutcomesService);
    const { version = '' } = await service.create(anAdmin(), [
      ...told,
      ...outcomes(3, { dataset: 'orders' }),
    ]);

    const rows = await node.module.get(LearningRows).read(node.module.get(DataSource));
    const found = rows.map(({ profile: known, dataset, count }) => [known?.sketch?.[0], dataset, count]);
    expect(found).toHaveLength(5);
    expect(found).toEqual(
      expect.arrayContaining([
        [0, 'orders', 1],
        [1, 'orders', 1],
        [2, 'claims', 1],
        [3, undefined, 1],
        [undefined, undefined, 3],
      ]),
    );
    const { examples } = (await node.module.get(CapabilityVersions).content(version)) as CapabilityContent;
    expect(Object.fromEntries(examples.map(({ sketch, dataset }) => [sketch[0], dataset]))).toEqual({
      0: 0,
      1: 0,
      2: 1,
      3: undefined,
    });
  });
});
