import { newId } from '../../../src/common/index';
import { HotPool } from '../../../src/database/index';
import { KeptThoughtsRepository } from '../../../src/providers/kept-thoughts.repository';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';

describe(KeptThoughtsRepository.name, () => {
  let database: TestDatabase;
  let pool: HotPool;
  let thoughts: KeptThoughtsRepository;
  let ada: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new HotPool({ connectionString: database.url });
    thoughts = new KeptThoughtsRepository(pool);
  });

  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  beforeEach(() => void (ada = newId()));

  const stored = async (ownerId: string): Promise<number> => {
    const sql = 'select count(*)::int as count from kept_thoughts where user_id = $1';
    return (await pool.query<{ count: number }>(sql, [ownerId])).rows[0]?.count ?? 0;
  };
  const age = (ownerId: string, hours: number) =>
    pool.query(
      'update kept_thoughts set expires_at = expires_at - make_interval(hours => $2) where user_id = $1',
      [ownerId, hours],
    );

  it('finds by owner and key what was kept, the newest of each', async () => {
    await thoughts.keep(ada, [
      { key: 'a', thought: 'one' },
      { key: 'b', thought: 'two' },
    ]);
    await thoughts.keep(ada, [{ key: 'a', thought: 'newer' }]);
    const found = await thoughts.find(ada, ['a', 'b', 'c']);
    expect(new Map(found.map(({ key, thought }) => [key, thought]))).toEqual(
      new Map([
        ['a', 'newer'],
        ['b', 'two'],
      ]),
    );
    expect(await thoughts.find(newId(), ['a', 'b'])).toEqual([]);
  });

  it('forgets after a day, and clears away at the next occasion, whoever gives it', async () => {
    await thoughts.keep(ada, [{ key: 'a', thought: 'one' }]);
    await age(ada, 23);
    expect(await thoughts.find(ada, ['a'])).toHaveLength(1);
    await age(ada, 2);
    expect(await thoughts.find(ada, ['a'])).toEqual([]);
    expect(await stored(ada)).toBe(1);
    await thoughts.keep(newId(), [{ key: 'b', thought: 'two' }]);
    expect(await stored(ada)).toBe(0);
  });

  it('keeps a bounded number per owner, the newest of them, and nobody pays for another', async () => {
    const bob = newId();
    await thoughts.keep(bob, [{ key: 'his', thought: 'x' }]);
    const many = (from: number) =>
      Array.from({ length: 600 }, (_, index) => ({ key: `key-${from + index}`, thought: 'x' }));
    await thoughts.keep(ada, many(0));
    await age(ada, 1);
    await thoughts.keep(ada, many(1000));
    await thoughts.keep(ada, [{ key: 'last', thought: 'x' }]);
    expect(await stored(ada)).toBe(1001);
    expect(await thoughts.find(ada, ['key-1000', 'key-1599', 'last'])).toHaveLength(3);
    expect(await stored(bob)).toBe(1);
  });

  it('takes text that PostgreSQL alone would refuse, as the JSON it comes in', async () => {
    const thought = JSON.stringify([{ text: 'a\u0000b', signature: 's' }]);
    await thoughts.keep(ada, [{ key: 'a', thought }]);
    expect((await thoughts.find(ada, ['a']))[0]?.thought).toBe(thought);
  });
});
