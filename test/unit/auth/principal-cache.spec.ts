import { type Authenticated, PrincipalCache } from '../../../src/auth/guard/principal-cache';
import { newId, type Principal } from '../../../src/common/index';
import { testConfig } from './support';

function principal(overrides: Partial<Principal> = {}): Principal {
  return { userId: newId(), role: 'operator', keyId: newId(), ...overrides };
}

/** A look-up that counts its calls. */
function answering(found: Authenticated | undefined): jest.Mock<Promise<Authenticated | undefined>> {
  return jest.fn(() => Promise.resolve(found));
}

describe(PrincipalCache.name, () => {
  let now = 1_000_000;

  beforeEach(() => {
    jest.spyOn(Date, 'now').mockImplementation(() => now);
  });

  afterEach(() => jest.restoreAllMocks());

  it('looks up once and then answers at once, for ten seconds', async () => {
    const cache = new PrincipalCache(testConfig());
    const who = principal();
    const load = answering({ principal: who });
    await expect(cache.resolve('digest', load)).resolves.toBe(who);
    now += 9_999;
    expect(cache.resolve('digest', load)).toBe(who);
    now += 2;
    await expect(cache.resolve('digest', load)).resolves.toBe(who);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('keeps no entry beyond the end of its credential', async () => {
    const cache = new PrincipalCache(testConfig());
    const load = answering({ principal: principal(), expiresAtMs: now + 500 });
    await cache.resolve('digest', load);
    now += 499;
    expect(cache.resolve('digest', load)).not.toBeInstanceOf(Promise);
    now += 2;
    expect(cache.resolve('digest', load)).toBeInstanceOf(Promise);
  });

  it('does not remember a credential that has ended already', async () => {
    const cache = new PrincipalCache(testConfig());
    const load = answering({ principal: principal(), expiresAtMs: now });
    await cache.resolve('digest', load);
    await cache.resolve('digest', load);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('remembers an unknown credential for one second', async () => {
    const cache = new PrincipalCache(testConfig());
    const load = answering(undefined);
    await expect(cache.resolve('digest', load)).resolves.toBeUndefined();
    now += 999;
    expect(cache.resolve('digest', load)).toBeUndefined();
    now += 2;
    expect(cache.resolve('digest', load)).toBeInstanceOf(Promise);
  });

  it('remembers no failure', async () => {
    const cache = new PrincipalCache(testConfig());
    const who = principal();
    await expect(cache.resolve('digest', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    await expect(cache.resolve('digest', answering({ principal: who }))).resolves.toBe(who);
  });

  it('shares one look-up among simultaneous calls', async () => {
    const cache = new PrincipalCache(testConfig());
    const load = answering({ principal: principal() });
    await Promise.all([cache.resolve('digest', load), cache.resolve('digest', load)]);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('forgets one key, or all credentials of one user', async () => {
    const cache = new PrincipalCache(testConfig());
    const mine = principal();
    const [other, token] = [
      principal({ userId: mine.userId }),
      principal({ userId: mine.userId, keyId: undefined }),
    ];
    const foreign = principal();
    for (const who of [mine, other, token, foreign]) {
      await cache.resolve(who.keyId ?? 'token', answering({ principal: who }));
    }
    const cached = (): boolean[] =>
      [mine, other, token, foreign].map(
        (who) =>
          !(cache.resolve(who.keyId ?? 'token', () => new Promise(() => undefined)) instanceof Promise),
      );
    cache.evict({ keyId: mine.keyId ?? '' });
    expect(cached()).toEqual([false, true, true, true]);
    cache.evict({ userId: mine.userId });
    expect(cached()).toEqual([false, false, false, true]);
  });

  it('forgets all that comes from one login', async () => {
    const cache = new PrincipalCache(testConfig());
    const [mine, other] = [principal({ sessionId: newId() }), principal({ sessionId: newId() })];
    for (const who of [mine, other]) await cache.resolve(who.userId, answering({ principal: who }));
    cache.evict({ sessionId: mine.sessionId });
    expect(cache.resolve(mine.userId, answering(undefined))).toBeInstanceOf(Promise);
    expect(cache.resolve(other.userId, answering(undefined))).toBe(other);
  });

  it('forgets nobody for a query that names nobody', async () => {
    const cache = new PrincipalCache(testConfig());
    const who = principal({ keyId: undefined });
    await cache.resolve('digest', answering({ principal: who }));
    cache.evict({});
    expect(cache.resolve('digest', answering(undefined))).toBe(who);
  });

  it('forgets everybody, and what is being looked up', async () => {
    const cache = new PrincipalCache(testConfig());
    const who = principal();
    await cache.resolve('known', answering({ principal: who }));
    const { promise, resolve } = Promise.withResolvers<Authenticated>();
    const early = cache.resolve('early', () => promise);
    cache.clear();
    resolve({ principal: who });
    await early;
    for (const digest of ['known', 'early']) {
      expect(cache.resolve(digest, answering(undefined))).toBeInstanceOf(Promise);
    }
  });

  it('does not keep what was read before an eviction', async () => {
    const cache = new PrincipalCache(testConfig());
    const who = principal();
    const { promise, resolve } = Promise.withResolvers<Authenticated>();
    const early = cache.resolve('digest', () => promise);
    cache.evict({ keyId: who.keyId ?? '' });
    resolve({ principal: who });
    await early;
    await expect(cache.resolve('digest', answering(undefined))).resolves.toBeUndefined();
  });

  it('stays bounded and keeps good entries under a flood of unknown credentials', async () => {
    const cache = new PrincipalCache(testConfig());
    const who = principal();
    await cache.resolve('good', answering({ principal: who }));
    for (let index = 0; index < 20_000; index += 1) await cache.resolve(`bad-${index}`, answering(undefined));
    expect(cache.resolve('good', answering(undefined))).toBe(who);
    expect(cache.resolve('bad-0', answering(undefined))).toBeInstanceOf(Promise);
  });
});
