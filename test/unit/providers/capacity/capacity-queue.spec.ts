import { loadConfig } from '../../../../src/config/index';
import type { Notifications } from '../../../../src/database/index';
import { ServiceUnavailableError } from '../../../../src/errors/index';
import type { AppLogger } from '../../../../src/observability/index';
import type { CapacityClaim } from '../../../../src/providers/capacity/capacity-claim';
import { CapacityQueue } from '../../../../src/providers/capacity/capacity-queue';
import type {
  CapacityAnswer,
  CapacityRefusal,
  CapacityStore,
  CapacityTurn,
} from '../../../../src/providers/capacity/capacity-store';
import { testEnv } from '../../../support/app';

const SCOPE = 'openai';
const REFUSAL: CapacityRefusal = { scope: SCOPE, kind: 'concurrency', waitMs: null };
const SINCE = '2030-01-01T00:00:00Z';
const claims: readonly CapacityClaim[] = [{ scope: SCOPE, concurrency: 1, need: 1, queueLength: 3 }];

/** Answers with so many free places, and remembers what it was asked. */
class FakeStore {
  free = 0;
  waitMs: number | null = null;
  isDown = false;
  /** While set, answers wait for it. */
  gate?: Promise<void>;
  readonly turns: CapacityTurn[] = [];

  async turn(_process: string, _lease: number, turn: CapacityTurn) {
    const waiting = turn.waiting.map(({ id, claims, since, patienceMs }) => ({
      id,
      claims,
      since,
      patienceMs,
    }));
    this.turns.push({ ...turn, waiting });
    const isDown = this.isDown;
    await this.gate;
    if (isDown) throw new ServiceUnavailableError('The database is not available');
    this.free += turn.ended.length;
    const answers = turn.waiting.map(({ id }): CapacityAnswer => {
      if (this.free === 0) return { id, refusal: { ...REFUSAL, waitMs: this.waitMs }, since: SINCE };
      this.free -= 1;
      return { id };
    });
    return { isNew: false, answers };
  }

  leave = () => Promise.resolve();
}

describe(CapacityQueue.name, () => {
  let store: FakeStore;
  let queue: CapacityQueue;
  let notify: (payload: string) => void;
  const listening = jest.fn();

  beforeEach(() => {
    jest.useFakeTimers();
    store = new FakeStore();
    listening.mockReset();
    const notifications = {
      on: (channel: string, handler: (payload: string) => void) => {
        listening(channel);
        notify = handler;
        return () => undefined;
      },
      onReconnect: () => undefined,
    } as Partial<Notifications> as Notifications;
    const config = loadConfig(testEnv('/nonexistent', { HOLD_LEASE_MS: '15000' }));
    const logger = { error: jest.fn(), warn: jest.fn() } as Partial<AppLogger> as AppLogger;
    queue = new CapacityQueue(config, store as unknown as CapacityStore, notifications, logger);
  });

  afterEach(() => jest.useRealTimers());

  const pass = (ms = 0) => jest.advanceTimersByTimeAsync(ms);
  const ask = (patienceMs = 10_000, signal = new AbortController().signal) => {
    const seen: { granted?: { end(tokens?: number): void; giveBack(): void }; why?: string } = {};
    void queue.ask(claims, { patienceMs, signal }).then((outcome) => {
      if ('slot' in outcome) seen.granted = outcome.slot;
      else seen.why = outcome.givenUp.reason;
    });
    return seen;
  };

  it('neither asks nor listens nor has a timer before the first call, nor after the last has ended', async () => {
    await pass(60_000);
    expect([store.turns.length, listening.mock.calls.length, jest.getTimerCount()]).toEqual([0, 0, 0]);
    store.free = 1;
    const call = ask();
    await pass();
    call.granted?.end();
    await pass();
    expect(jest.getTimerCount()).toBe(0);
    expect(store.turns).toHaveLength(2);
  });

  it('serves in the order of arrival, woken by an end in this process', async () => {
    const calls = [ask(), ask(), ask()];
    store.free = 1;
    await pass();
    expect(calls.map(({ granted }) => granted !== undefined)).toEqual([true, false, false]);
    calls[0]?.granted?.end(7);
    await pass();
    expect(calls.map(({ granted }) => granted !== undefined)).toEqual([true, true, false]);
    expect(store.turns.flatMap(({ ended }) => ended)).toMatchObject([{ usedTokens: 7, isSent: true }]);
  });

  it.each([1, 2, 3, 4, 5, 6])(
    'hears a call that comes back %i steps after its room was told',
    async (steps) => {
      store.free = 1;
      const outcome = await queue.ask(claims, { patienceMs: 10_000, signal: new AbortController().signal });
      for (let step = 1; step < steps; step++) await Promise.resolve();
      if ('slot' in outcome) outcome.slot.end();
      const next = ask();
      await pass();
      expect(next.granted).toBeDefined();
    },
  );

  it('asks for all that wait in one question', async () => {
    let open = (): void => undefined;
    store.gate = new Promise((resolve) => (open = resolve));
    ask();
    for (let count = 0; count < 20; count++) ask();
    open();
    await pass();
    expect(store.turns.map(({ waiting }) => waiting.length).slice(0, 2)).toEqual([1, 21]);
  });

  it('asks again when time has made room, when another process says so, and each second besides', async () => {
    store.waitMs = 250;
    ask();
    await pass();
    const asked = store.turns.length;
    await pass(249);
    expect(store.turns).toHaveLength(asked);
    store.waitMs = null;
    await pass(2);
    expect(store.turns).toHaveLength(asked + 1);
    notify('another process');
    await pass();
    expect(store.turns).toHaveLength(asked + 2);
    await pass(1001);
    expect(store.turns).toHaveLength(asked + 3);
  });

  it('gives up after its patience, not later and not before it was answered once', async () => {
    const patient = ask(3000);
    const impatient = ask(0);
    await pass();
    await pass();
    expect([patient.why, impatient.why]).toEqual([undefined, 'patience']);
    await pass(2999);
    expect(patient.why).toBeUndefined();
    await pass(1);
    expect(patient.why).toBe('patience');

    let open = (): void => undefined;
    store.gate = new Promise((resolve) => (open = resolve));
    store.free = 1;
    const lucky = ask(0);
    const unlucky = ask(0);
    await pass(500);
    expect([lucky, unlucky]).toEqual([{}, {}]);
    open();
    await pass();
    expect([lucky.granted, unlucky.why]).toEqual([expect.anything(), 'patience']);
  });

  it('gives up at once when it is aborted, and gives back what was granted meanwhile', async () => {
    const controller = new AbortController();
    let open = (): void => undefined;
    store.gate = new Promise((resolve) => (open = resolve));
    store.free = 1;
    const call = ask(10_000, controller.signal);
    const next = ask();
    controller.abort();
    await pass();
    expect(call.why).toBe('aborted');
    open();
    await pass();
    expect(store.turns.flatMap(({ ended }) => ended)).toMatchObject([{ isSent: false }]);
    expect(next.granted).toBeDefined();
    const asked = store.turns.length;
    const late = ask(10_000, controller.signal);
    await pass();
    expect([late.why, store.turns.length]).toEqual(['aborted', asked]);
  });

  it('lets no more wait than may, counting only those that found no room', async () => {
    store.free = 5;
    const calls = Array.from({ length: 10 }, () => ask());
    await pass();
    expect(calls.map(({ granted, why }) => (granted ? 'granted' : (why ?? 'waits')))).toEqual([
      ...Array<string>(5).fill('granted'),
      ...Array<string>(3).fill('waits'),
      ...Array<string>(2).fill('queue_full'),
    ]);
    expect(queue.waitingFor(SCOPE)).toBe(3);
  });

  it('keeps its place in line as PostgreSQL told it', async () => {
    ask();
    await pass();
    notify('another process');
    await pass();
    expect(store.turns.map(({ waiting }) => waiting[0]?.since)).toEqual([undefined, SINCE]);
  });

  it('ends a call once, whatever is said later', async () => {
    store.free = 1;
    const call = ask();
    await pass();
    call.granted?.end(5);
    call.granted?.end(6);
    call.granted?.giveBack();
    await pass();
    expect(store.turns.flatMap(({ ended }) => ended)).toMatchObject([{ usedTokens: 5 }]);
  });

  it('lets nobody through while PostgreSQL is away, and tells ended calls when it is back', async () => {
    store.free = 1;
    const running = ask();
    await pass();
    store.isDown = true;
    const refused = ask();
    await pass();
    expect(refused.why).toBe('unknown');
    running.granted?.end(9);
    await pass(1500);
    store.isDown = false;
    await pass(1500);
    expect(store.turns.at(-1)).toMatchObject({ ended: [{ usedTokens: 9 }], mayReap: false });
    expect(store.turns.at(-1)?.held).toHaveLength(1);
    await pass(10_000);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('says every now and then that it lives, while calls are under way', async () => {
    store.free = 1;
    ask();
    await pass();
    await pass(9100);
    expect(store.turns).toHaveLength(4);
  });
});
