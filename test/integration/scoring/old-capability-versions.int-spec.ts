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

  /** So many that were made, and left, so many days ago; each in an hour of its own. */
  const old = (count: number, days: number) =>
    source.query(
      `insert into capability_versions (created_at, used_until, reason, outcomes, content)
       select at, at, 'import', '{}', '{}'
       from generate_series(1, $1) number, lateral (select now() - $2 * interval '1 day' - number * interval '1 hour' as at) made`,
      [count, days],
    );
  /** One that was in force for so many minutes, until this minute of an hour; its number. */
  const used = async (minutes: number, until: Date): Promise<string> => {
    const [row] = await source.query<{ version: string }[]>(
      `insert into capability_versions (created_at, used_until, reason, outcomes, content)
       values ($2::timestamptz - $1 * interval '1 minute', $2, 'feedback', '{}', '{}') returning version`,
      [minutes, until],
    );
    return row?.version ?? '';
  };
  const HOUR_MS = 3_600_000;
  /** This minute of the hour that began so long ago. */
  const at = (hoursAgo: number, minute: number): Date =>
    new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS - hoursAgo * HOUR_MS + minute * 60_000);
  const cleanUp = () => new OldCapabilityVersions(versions).run();

  it('forgets what no decision of the last month can name, but not the newest 200', async () => {
    await old(250, 40);
    expect(await cleanUp()).toBe(50);
    expect(await versions.list({ limit: 1000 })).toHaveLength(200);
  });

  it('keeps a version for a month after its last use, and while it is pinned', async () => {
    await old(1, 40);
    await old(1, 40);
    await old(230, 5);
    await source.query(`update capability_state set pinned_version = '1'`);
    await source.query('update capability_versions set used_until = null where version = 1');
    expect(await cleanUp()).toBe(1);
    expect([await versions.find('1'), await versions.find('2')]).toEqual([expect.anything(), undefined]);
  });

  it('keeps of each hour that is over for a day the version that was in force for longest', async () => {
    const [short, long, last] = [
      await used(5, at(30, 5)),
      await used(40, at(30, 45)),
      await used(1, at(30, 46)),
    ];
    const next = await used(2, at(29, 2));
    const fresh = [await used(1, at(3, 1)), await used(1, at(3, 2))];
    await old(200, 2);
    expect(await cleanUp()).toBe(2);
    const kept = (await versions.list({ limit: 1000 })).map(({ version }) => version);
    expect(kept).toEqual(expect.arrayContaining([long, next, ...fresh]));
    expect(kept).not.toContain(short);
    expect(kept).not.toContain(last);
  });

  it('never forgets what is in force or pinned, nor one of the newest, however many an hour has', async () => {
    const pinned = await used(1, at(30, 1));
    for (const minute of [2, 3, 4]) await used(minute, at(30, minute));
    await source.query('update capability_versions set used_until = null where version = $1', [pinned]);
    expect(await cleanUp()).toBe(0);
    await old(199, 2);
    expect(await cleanUp()).toBe(2);
    expect(await versions.find(pinned)).toBeDefined();
  });
});
