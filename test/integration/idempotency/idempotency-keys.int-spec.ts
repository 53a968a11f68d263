import { DataSource } from 'typeorm';
import { newId } from '../../../src/common/index';
import { type AppConfig, KeyRing, SecretKey } from '../../../src/config/index';
import { buildDataSourceOptions } from '../../../src/database/index';
import { IdempotencyKeysRepository } from '../../../src/idempotency/idempotency-keys.repository';
import type { IdempotencyOptions } from '../../../src/idempotency/index';
import type { KeyedRequest } from '../../../src/idempotency/keyed-request';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';

const DAY_MS = 86_400_000;
const secretKey = (letter: string) => new SecretKey(letter.repeat(32), false);
const answer = (text: string) => ({
  status: 200,
  headers: { 'x-lattice-model': 'a/b' },
  body: Buffer.from(text),
});

describe(IdempotencyKeysRepository.name, () => {
  let test: TestDatabase;
  let database: DataSource;
  let request: KeyedRequest;

  beforeAll(async () => {
    test = await createTestDatabase();
    database = await new DataSource(buildDataSourceOptions(test.url, 10)).initialize();
  });

  afterAll(async () => {
    await database.destroy();
    await test.drop();
  });

  beforeEach(() => {
    request = { owner: newId(), key: 'k', isPublic: false, fingerprints: [Buffer.from('same')] };
  });

  const open = (options: Partial<IdempotencyOptions> = {}, keys = new KeyRing(secretKey('a'))) =>
    new IdempotencyKeysRepository(
      database,
      { keys } as AppConfig,
      { leaseMs: 1500, keepMs: DAY_MS, ...options } as IdempotencyOptions,
    );
  const age = (column: 'leased_until' | 'expires_at') =>
    database.query(`update idempotency_keys set ${column} = now() - interval '1 second' where owner = $1`, [
      request.owner,
    ]);
  const claimMany = async (keys: IdempotencyKeysRepository) => {
    const ids = Array.from({ length: 10 }, () => newId());
    const taken = await Promise.all(ids.map((id) => keys.claim(request, id)));
    return ids.filter((_, index) => taken[index]);
  };

  it('gives a key to one of many who ask at once', async () => {
    expect(await claimMany(open({ leaseMs: 60_000 }))).toHaveLength(1);
  });

  it('gives the key of a dead process to one of many, and nothing that the dead one does counts any more', async () => {
    const keys = open();
    const [dead = ''] = await claimMany(open({ leaseMs: 60_000 }));
    expect(await claimMany(keys)).toEqual([]);
    await age('leased_until');
    const [taker = '', ...others] = await claimMany(keys);
    expect(others).toEqual([]);
    await keys.renew([taker]);
    await keys.store(request, dead, answer('late'));
    await keys.release(request, dead);
    expect(await keys.look(request)).toMatchObject({ is: 'running', claimId: taker });
    await keys.store(request, taker, answer('good'));
    expect(await keys.look(request)).toEqual({ is: 'answered', answer: answer('good') });
  });

  it('leaves the key of a process alone whose lease was renewed', async () => {
    const keys = open({ leaseMs: 60_000 });
    const [holder = ''] = await claimMany(keys);
    await age('leased_until');
    await keys.renew([holder]);
    expect(await claimMany(keys)).toEqual([]);
  });

  it('takes nothing over while PostgreSQL has been up for less than a lease', async () => {
    await claimMany(open());
    await age('leased_until');
    expect(await claimMany(open({ leaseMs: 365 * DAY_MS }))).toEqual([]);
  });

  it('gives the key of a dead process to the same request only', async () => {
    await claimMany(open());
    await age('leased_until');
    const same = request;
    request = { ...same, fingerprints: [Buffer.from('other')] };
    expect(await claimMany(open())).toEqual([]);
    expect(await open().look(request)).toEqual({ is: 'reused' });
    request = { ...same, fingerprints: [Buffer.from('new'), Buffer.from('same')] };
    expect(await claimMany(open())).toHaveLength(1);
  });

  it('tells who waits, and only when somebody does', async () => {
    const keys = open({ leaseMs: 60_000 });
    const [claimId = ''] = await claimMany(keys);
    const heard: string[] = [];
    const runner = database.createQueryRunner();
    const client = (await runner.connect()) as import('pg').PoolClient;
    client.on('notification', ({ payload }) => heard.push(payload ?? ''));
    await client.query('listen idempotency_answered');
    await keys.store(request, claimId, answer('x'));
    await client.query('select 1');
    expect([heard, await keys.await(claimId)]).toEqual([[], false]);

    const other = { ...request, key: 'other' };
    const otherId = newId();
    await keys.claim(other, otherId);
    expect(await keys.await(otherId)).toBe(true);
    await keys.release(other, otherId);
    await client.query('select 1');
    expect(heard).toEqual([`${request.owner}/other`]);
    await client.query('unlisten *');
    await runner.release();
  });

  it('keeps answers sealed: another secret key, or another owner, cannot read them', async () => {
    const [claimId = ''] = await claimMany(open());
    await open().store(request, claimId, answer('secret text'));
    const [row] = await database.query<{ answer: Buffer }[]>(
      'select answer from idempotency_keys where owner = $1',
      [request.owner],
    );
    expect(row?.answer.includes('secret text')).toBe(false);
    const replaced = open({}, new KeyRing(secretKey('b')));
    expect(await replaced.look(request)).toEqual({ is: 'unreadable', claimId });
    const rotated = open({}, new KeyRing(secretKey('b'), [secretKey('a')]));
    expect(await rotated.look(request)).toMatchObject({ is: 'answered' });
    const thief = newId();
    await database.query('update idempotency_keys set owner = $1 where owner = $2', [thief, request.owner]);
    expect(await open().look({ ...request, owner: thief })).toMatchObject({ is: 'unreadable' });
  });

  it('removes what has expired in batches, and nothing that runs', async () => {
    const keys = open({ leaseMs: 60_000 });
    for (const key of ['1', '2', '3']) {
      const id = newId();
      await keys.claim({ ...request, key }, id);
      await keys.store({ ...request, key }, id, answer(key));
    }
    await keys.claim({ ...request, key: 'running' }, newId());
    await age('expires_at');
    expect([await keys.removeExpired(2), await keys.removeExpired(2), await keys.removeExpired(2)]).toEqual([
      2, 1, 0,
    ]);
    const left = await database.query<{ key: string }[]>(
      'select key from idempotency_keys where owner = $1',
      [request.owner],
    );
    expect(left).toEqual([{ key: 'running' }]);
  });
});
