import { DataSource } from 'typeorm';
import { newId } from '../../../src/common/index';
import { type AppConfig, KeyRing, SecretKey } from '../../../src/config/index';
import { buildDataSourceOptions } from '../../../src/database/index';
import { IdempotencyKeysRepository } from '../../../src/idempotency/idempotency-keys.repository';
import type { IdempotencyOptions } from '../../../src/idempotency/index';
import type { KeyedRequest } from '../../../src/idempotency/keyed-request';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
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

  const of = (digest: string, keyId = 'now') => ({ keyId, digest: Buffer.from(digest) });

  beforeAll(async () => {
    test = await createTestDatabase();
    database = await new DataSource(buildDataSourceOptions(test.url, 10)).initialize();
  });

  afterAll(async () => {
    await database.destroy();
    await test.drop();
  });

  beforeEach(() => {
    request = { owner: newId(), key: 'k', isPublic: false, fingerprints: [of('same')] };
  });

  const open = (options: Partial<IdempotencyOptions> = {}, keys = new KeyRing(secretKey('a'))) =>
    new IdempotencyKeysRepository(
      database,
      { keys } as AppConfig,
      { leaseMs: 1500, keepMs: DAY_MS, rolloutMs: HOUR_MS, ...options } as IdempotencyOptions,
    );
  const age = (column: 'leased_until' | 'expires_at') =>
    database.query(`update idempotency_keys set ${column} = now() - interval '1 second' where owner = $1`, [
      request.owner,
    ]);
  const claimedAgo = (hours: number) =>
    database.query(
      `update idempotency_keys set created_at = now() - $2 * interval '1 hour' where owner = $1`,
      [request.owner, hours],
    );
  const rowOf = async () =>
    await database.query<object[]>('select * from idempotency_keys where owner = $1', [request.owner]);
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
    expect(await keys.look(request)).toMatchObject({ is: 'running', claimId: dead, isLeased: false });
    const [taker = '', ...others] = await claimMany(keys);
    expect(others).toEqual([]);
    await keys.renew([taker]);
    await keys.store(request, dead, answer('late'));
    await keys.release(request, dead);
    expect(await keys.look(request)).toMatchObject({ is: 'running', claimId: taker });
    await keys.store(request, taker, answer('good'));
    expect(await keys.look(request)).toEqual({ is: 'answered', claimId: taker });
    expect(await keys.answerOf(request, taker)).toEqual(answer('good'));
    expect(await keys.answerOf(request, dead)).toBeUndefined();
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
    request = { ...same, fingerprints: [of('other')] };
    expect(await claimMany(open())).toEqual([]);
    expect(await open().look(request)).toEqual({ is: 'reused' });
    request = { ...same, fingerprints: [of('new', 'newer'), of('same')] };
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
    const rotated = open({}, new KeyRing(secretKey('b'), [secretKey('a')]));
    expect(await rotated.answerOf(request, claimId)).toEqual(answer('secret text'));
    const thief = newId();
    await database.query('update idempotency_keys set owner = $1 where owner = $2', [thief, request.owner]);
    request = { ...request, owner: thief };
    expect(await open().answerOf(request, claimId)).toBeUndefined();
    // What was altered is nobody's answer: the request is carried out again.
    expect(await rowOf()).toEqual([]);
  });

  describe('of a secret key that this process does not have', () => {
    let claimId: string;
    let elsewhere: KeyedRequest;

    beforeEach(async () => {
      elsewhere = { ...request, fingerprints: [of('theirs', 'other')] };
      claimId = newId();
      await open({ leaseMs: 60_000 }).claim(elsewhere, claimId);
    });

    const answered = () => open({}, new KeyRing(secretKey('b'))).store(elsewhere, claimId, answer('x'));

    it('is left to the process that has it, and is no other request', async () => {
      expect(await open().look(request)).toEqual({ is: 'elsewhere' });
      await answered();
      expect(await open().look(request)).toEqual({ is: 'elsewhere' });
      expect(await claimMany(open())).toEqual([]);
      expect(await rowOf()).toEqual([expect.objectContaining({ claim_id: claimId })]);
    });

    it('is left to a process that lives, however long it takes', async () => {
      await claimedAgo(2);
      expect(await open().look(request)).toEqual({ is: 'elsewhere' });
      expect(await claimMany(open())).toEqual([]);
    });

    it('is carried out again by one when the time of a rollout has passed', async () => {
      await answered();
      await claimedAgo(2);
      expect(await open().look(request)).toBeUndefined();
      const [taker, ...more] = await claimMany(open({ leaseMs: 60_000 }));
      expect([await open().look(request), more]).toEqual([
        { is: 'running', claimId: taker, isLeased: true, isAwaited: false },
        [],
      ]);
    });

    it('is taken over from a dead process after that time, and not before', async () => {
      await age('leased_until');
      expect(await claimMany(open())).toEqual([]);
      await claimedAgo(2);
      expect(await claimMany(open())).toHaveLength(1);
    });
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
