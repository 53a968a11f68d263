/** A process of the installation as far as capacities go: a queue with connections of its own. */
import { loadConfig } from '../../../src/config/index';
import { HotPool, Notifications } from '../../../src/database/index';
import type { AppLogger } from '../../../src/observability/index';
import type { CapacityClaim } from '../../../src/providers/capacity/capacity-claim';
import { CapacityQueue } from '../../../src/providers/capacity/capacity-queue';
import { CapacityStore } from '../../../src/providers/capacity/capacity-store';
import type { CapacitySlot } from '../../../src/providers/capacity/waiting-call';
import { testEnv } from '../../support/app';

/** As long as a busy machine may keep a process from renewing it; tests of leases take a shorter one. */
const LEASE_MS = 30_000;

export interface Asking {
  readonly claims?: readonly CapacityClaim[];
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

export interface ProcessOptions {
  readonly wrap?: (pool: HotPool) => HotPool;
  readonly leaseMs?: number;
}

export interface CapacityProcess {
  readonly queue: CapacityQueue;
  readonly pool: HotPool;
  /** Waits for room; the slot, or why not. */
  ask(asking?: Asking): Promise<CapacitySlot | string>;
  /** Waits for room that must come. */
  take(asking?: Asking): Promise<CapacitySlot>;
  /** Ends its connections without a word. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

export const claim = (limits: Partial<CapacityClaim>): CapacityClaim => ({
  scope: 'openai',
  need: 1,
  queueLength: 1000,
  ...limits,
});

export async function startCapacityProcess(
  url: string,
  now: () => Date,
  { wrap = (pool: HotPool) => pool, leaseMs = LEASE_MS }: ProcessOptions = {},
): Promise<CapacityProcess> {
  const pool = new HotPool({ connectionString: url });
  const notifications = new Notifications(url);
  await notifications.onApplicationBootstrap();
  const logger = { warn: jest.fn(), error: jest.fn() } as Partial<AppLogger> as AppLogger;
  const config = loadConfig(testEnv('/nonexistent', { HOLD_LEASE_MS: String(leaseMs) }));
  const queue = new CapacityQueue(config, new CapacityStore(wrap(pool), now), notifications, logger);
  const ask = async ({ claims = [], patienceMs = 30_000, signal }: Asking = {}) => {
    const outcome = await queue.ask(claims, { patienceMs, signal: signal ?? new AbortController().signal });
    return 'slot' in outcome ? outcome.slot : outcome.givenUp.reason;
  };
  let isGone = false;
  const kill = async (): Promise<void> => {
    if (isGone) return;
    isGone = true;
    await notifications.onApplicationShutdown();
    await pool.end();
  };
  return {
    queue,
    pool,
    ask,
    take: async (asking) => {
      const slot = await ask(asking);
      if (typeof slot === 'string') throw new Error(`No room: ${slot}`);
      return slot;
    },
    kill,
    close: async () => {
      await queue.onApplicationShutdown();
      await kill();
    },
  };
}
