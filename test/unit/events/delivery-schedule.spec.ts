import { createHmac } from 'node:crypto';
import { DeliverySchedule, retryAfterMsOf } from '../../../src/events/webhooks/delivery-schedule';
import { signatureOf } from '../../../src/events/webhooks/signature';

const MINUTE_MS = 60_000;

describe(DeliverySchedule.name, () => {
  const schedule = new DeliverySchedule();
  const pauses = (random: () => number): (number | undefined)[] =>
    [1, 2, 3, 4, 5].map((attempt) => schedule.pauseAfter(attempt, undefined, random));

  it('has five tries over an hour', () => {
    expect(schedule.maxAttempts).toBe(5);
    expect(pauses(() => 0)).toEqual([60_000, 300_000, 900_000, 2_340_000, undefined]);
  });

  it('spreads them by a tenth at most', () => {
    expect(pauses(() => 1)).toEqual([66_000, 330_000, 990_000, 2_574_000, undefined]);
  });

  it('waits as long as the receiver asks, within bounds', () => {
    const pauseMs = (retryAfterMs: number): number | undefined =>
      schedule.pauseAfter(1, retryAfterMs, () => 0);
    expect(pauseMs(1000)).toBe(MINUTE_MS);
    expect(pauseMs(10 * MINUTE_MS)).toBe(10 * MINUTE_MS);
    expect(pauseMs(1e12)).toBe(39 * MINUTE_MS);
  });

  it('leases a try for longer than it may take', () => {
    expect(schedule.leaseMs).toBeGreaterThan(2 * schedule.timeoutMs);
  });
});

describe(retryAfterMsOf.name, () => {
  const now = Date.parse('2026-01-01T00:00:00Z');

  it.each([
    ['120', 120_000],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['soon', undefined],
    [undefined, undefined],
    [['1', '2'], undefined],
  ])('reads %j as %p', (header, expected) => {
    expect(retryAfterMsOf(header, now)).toBe(expected);
  });
});

describe(signatureOf.name, () => {
  it('signs time and body with the whole secret', () => {
    const expected = createHmac('sha256', 'whsec_abc').update('1700000000.{"a":1}').digest('hex');
    expect(signatureOf('whsec_abc', '{"a":1}', 1_700_000_000_999)).toBe(`t=1700000000,v1=${expected}`);
  });
});
