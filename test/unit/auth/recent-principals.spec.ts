import { PrincipalCache } from '../../../src/auth/guard/principal-cache';
import { newId, type Principal } from '../../../src/common/index';
import { loadConfig } from '../../../src/config/index';

const MINUTE = 60_000;

describe(`${PrincipalCache.name} while PostgreSQL is away`, () => {
  let now = 1_000_000;
  const who: Principal = { userId: newId(), role: 'operator', keyId: newId() };

  beforeEach(() => {
    jest.spyOn(Date, 'now').mockImplementation(() => now);
  });

  afterEach(() => jest.restoreAllMocks());

  async function cacheThatKnows(expiresAtMs?: number, floatUsd = '1'): Promise<PrincipalCache> {
    const cache = new PrincipalCache(loadConfig({ LATTICE_ENV: 'test', DEGRADED_FLOAT_USD: floatUsd }));
    await cache.resolve('digest', () => Promise.resolve({ principal: who, expiresAtMs }));
    return cache;
  }

  it('recalls whom it has confirmed in the last 15 minutes, and marks the principal', async () => {
    const cache = await cacheThatKnows();
    now += 15 * MINUTE - 1;
    expect(cache.recall('digest')).toEqual({ ...who, isUnconfirmed: true });
    now += 2;
    expect(cache.recall('digest')).toBeUndefined();
    expect(cache.recall('another')).toBeUndefined();
  });

  it('recalls nobody beyond the end of the credential', async () => {
    const cache = await cacheThatKnows(now + MINUTE);
    now += MINUTE - 1;
    expect(cache.recall('digest')).toBeDefined();
    now += 1;
    expect(cache.recall('digest')).toBeUndefined();
  });

  it('recalls nobody who was revoked, by whatever name, or found to be unknown', async () => {
    const evicted = await cacheThatKnows();
    evicted.evict({ keyId: who.keyId });
    expect(evicted.recall('digest')).toBeUndefined();
    const cleared = await cacheThatKnows();
    cleared.clear();
    expect(cleared.recall('digest')).toBeUndefined();
    const unknown = await cacheThatKnows();
    now += MINUTE;
    await unknown.resolve('digest', () => Promise.resolve(undefined));
    expect(unknown.recall('digest')).toBeUndefined();
  });

  it('recalls nobody where no float would pay', async () => {
    expect((await cacheThatKnows(undefined, '0')).recall('digest')).toBeUndefined();
  });
});
