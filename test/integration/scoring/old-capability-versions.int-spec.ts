import { DataSource } from 'typeorm';
import { CapabilityVersions } from '../../../src/scoring/outcomes/versions/capability-versions.repository';
import { OldCapabilityVersions } from '../../../src/scoring/outcomes/versions/old-capability-versions.service';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';

describe(OldCapabilityVersions.name, () => {
  let database: TestDatabase;
  let source: DataSource;
  let versions: CapabilityVersions;

  beforeEach(async () => {
    database = await createTestDatabase();
    source = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    versions = new CapabilityVersions(source);
  });
  afterEach(async () => {
    await source.destroy();
    await database.drop();
  });

  /** So many that were made, and left, so many days ago. */
  const old = (count: number, days: number) =>
    source.query(
      `insert into capability_versions (created_at, used_until, reason, outcomes, content)
       select now() - $2 * interval '1 day', now() - $2 * interval '1 day', 'import', '{}', '{}' from generate_series(1, $1)`,
      [count, days],
    );
  const cleanUp = () => new OldCapabilityVersions(versions).run();

  it('forgets what no decision of the last month can name, but not the newest 200', async () => {
    await old(250, 40);
    expect(await cleanUp()).toBe(50);
    expect(await versions.list({ limit: 1000 })).toHaveLength(200);
  });

  it('keeps a version for a month after its last use, and while it is pinned', async () => {
    await old(1, 40);
    await old(1, 40);
    await old(230, 20);
    await source.query(`update capability_state set pinned_version = '1'`);
    await source.query('update capability_versions set used_until = null where version = 1');
    expect(await cleanUp()).toBe(1);
    expect([await versions.find('1'), await versions.find('2')]).toEqual([expect.anything(), undefined]);
  });
});
