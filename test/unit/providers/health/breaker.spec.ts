import { Breaker, type BreakerSettings, type Ticket } from '../../../../src/providers/health/breaker';

const SETTINGS: BreakerSettings = { failures: 3, failurePercent: 50, openMs: 1000, maxOpenMs: 8000 };
const NEVER = () => false;

/** A breaker and a clock in the hand of the test; no jitter. */
function aBreaker(settings: Partial<BreakerSettings> = {}, random = 0.5) {
  const clock = { now: 1_000_000 };
  const changes: string[] = [];
  const breaker: Breaker = new Breaker({ ...SETTINGS, ...settings }, clock.now, {
    random: () => random,
    onChange: () => changes.push(breaker.state),
  });
  const enter = (isAnswering = NEVER): Ticket => {
    expect(breaker.waitMs(clock.now)).toBe(0);
    return breaker.enter(clock.now, isAnswering);
  };
  const fail = (ticket = enter(), reason = 'overloaded'): void => breaker.fail(ticket, clock.now, { reason });
  const succeed = (ticket = enter()): void => breaker.succeed(ticket, clock.now);
  const waitMs = (isLastResort?: boolean): number => breaker.waitMs(clock.now, isLastResort);
  const open = (): void => {
    while (breaker.state !== 'open') fail();
  };
  return { breaker, clock, changes, enter, fail, succeed, waitMs, open };
}

describe(Breaker.name, () => {
  describe('while closed', () => {
    it('opens after so many failures in a row, and says why', () => {
      const { breaker, fail, waitMs } = aBreaker();
      fail();
      fail();
      expect([breaker.state, waitMs()]).toEqual(['closed', 0]);
      fail(undefined, 'cut');
      expect([breaker.state, breaker.reason, waitMs()]).toEqual(['open', 'cut', 1000]);
    });

    it('begins to count anew after a success', () => {
      const { breaker, fail, succeed } = aBreaker();
      for (let round = 0; round < 5; round++) {
        fail();
        fail();
        succeed();
      }
      expect([breaker.state, breaker.failuresInARow]).toEqual(['closed', 0]);
    });

    it('opens when more than the share of a minute’s attempts failed, from twenty on', () => {
      const { breaker, fail, succeed } = aBreaker({ failures: 1000 });
      for (let count = 0; count < 10; count++) {
        fail();
        succeed();
      }
      expect(breaker.state).toBe('closed');
      fail();
      expect(breaker.state).toBe('open');
    });

    it('forgets attempts of more than a minute ago', () => {
      const { breaker, clock, fail } = aBreaker({ failures: 1000 });
      for (let count = 0; count < 19; count++) fail();
      clock.now += 61_000;
      for (let count = 0; count < 19; count++) fail();
      expect(breaker.state).toBe('closed');
      fail();
      expect(breaker.state).toBe('open');
    });

    it('opens at once on a certain failure, for as long as the provider asked, within the bound', () => {
      const { breaker, clock, enter, waitMs } = aBreaker();
      breaker.fail(enter(), clock.now, { reason: 'rate_limited', isCertain: true, askedMs: 5000 });
      expect([breaker.state, waitMs()]).toEqual(['open', 5000]);
      const other = aBreaker();
      other.breaker.fail(other.enter(), other.clock.now, { reason: 'x', isCertain: true, askedMs: 3.6e6 });
      expect(other.waitMs()).toBe(8000);
    });
  });

  describe('while open', () => {
    it('refuses until its time is up, then lets exactly one call through', () => {
      const { breaker, clock, open, enter, waitMs } = aBreaker();
      open();
      clock.now += 999;
      expect(waitMs()).toBe(1);
      clock.now += 1;
      enter();
      expect(breaker.state).toBe('half_open');
      expect(waitMs()).toBeGreaterThan(0);
    });

    it('is not told anything by calls that began before', () => {
      const { breaker, enter, open, fail, succeed, waitMs } = aBreaker();
      const [late, later] = [enter(), enter()];
      open();
      succeed(late);
      fail(later);
      expect([breaker.state, waitMs()]).toEqual(['open', 1000]);
    });

    it('lets a last resort through after the first open time, however long it would wait', () => {
      const { clock, open, enter, fail, waitMs } = aBreaker();
      open();
      clock.now += 1000;
      fail(enter());
      clock.now += 2000;
      fail(enter());
      expect([waitMs(), waitMs(true)]).toEqual([4000, 1000]);
      clock.now += 1000;
      expect([waitMs(), waitMs(true)]).toEqual([3000, 0]);
    });

    it.each([
      [0, 800],
      [1, 1200],
    ])('spreads open times by a fifth (%d)', (random, ms) => {
      const { open, waitMs } = aBreaker({}, random);
      open();
      expect(waitMs()).toBe(ms);
    });
  });

  describe('while half-open', () => {
    function halfOpen() {
      const made = aBreaker();
      made.open();
      made.clock.now += 1000;
      return made;
    }

    it('closes when the probe succeeds', () => {
      const { breaker, changes, enter, succeed, waitMs } = halfOpen();
      succeed(enter());
      expect([breaker.state, breaker.failuresInARow, waitMs()]).toEqual(['closed', 0, 0]);
      expect(changes).toEqual(['open', 'half_open', 'closed']);
    });

    it('opens again for twice the time when the probe fails, up to the bound, and forgets that when it closes', () => {
      const { clock, enter, fail, succeed, open, waitMs } = halfOpen();
      const waits = [];
      for (let probe = 0; probe < 5; probe++) {
        fail(enter());
        waits.push(waitMs());
        clock.now += waitMs();
      }
      expect(waits).toEqual([2000, 4000, 8000, 8000, 8000]);
      succeed(enter());
      open();
      expect(waitMs()).toBe(1000);
    });

    it('gives the place of a probe that told nothing to the next call', () => {
      const { breaker, enter, waitMs } = halfOpen();
      const probe = enter();
      expect(waitMs()).toBeGreaterThan(0);
      breaker.release(probe);
      expect([breaker.state, waitMs()]).toEqual(['half_open', 0]);
    });

    it('closes as soon as the probe’s answer has begun, and counts its later cut like any other', () => {
      const { breaker, enter, fail, waitMs } = halfOpen();
      let isAnswering = false;
      const probe = enter(() => isAnswering);
      expect(waitMs()).toBeGreaterThan(0);
      isAnswering = true;
      expect([waitMs(), breaker.state]).toEqual([0, 'closed']);
      fail(probe);
      expect([breaker.state, breaker.failuresInARow]).toEqual(['closed', 1]);
    });

    it('lets another through when the probe hangs', () => {
      const { clock, enter, waitMs } = halfOpen();
      enter();
      clock.now += 29_999;
      expect(waitMs()).toBe(1);
      clock.now += 1;
      enter();
      expect(waitMs()).toBe(30_000);
    });
  });
});
