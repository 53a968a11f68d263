import { loadConfig } from '../../../src/config/index';
import type { LedgerStore } from '../../../src/ledger/ledger.store';
import { OpenHolds } from '../../../src/ledger/open-holds';
import { ProcessIdentity } from '../../../src/ledger/process-identity';
import { ProcessLease } from '../../../src/ledger/process-lease.service';
import type { Reaper } from '../../../src/ledger/reaper.service';
import type { AppLogger } from '../../../src/observability/index';

const LEASE_MS = 15_000;
const away = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });

function aLease() {
  const renewLease = jest.fn().mockResolvedValue(undefined);
  const reap = jest.fn().mockResolvedValue(0);
  const store = { renewLease, listHolds: () => Promise.resolve([]), endLease: () => Promise.resolve() };
  const lease = new ProcessLease(
    loadConfig({ LATTICE_ENV: 'test', HOLD_LEASE_MS: String(LEASE_MS) }),
    store as unknown as LedgerStore,
    new ProcessIdentity(),
    new OpenHolds(),
    { reap } as unknown as Reaper,
    { warn: jest.fn(), error: jest.fn() } as unknown as AppLogger,
  );
  return { lease, renewLease, reap };
}

describe(ProcessLease.name, () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('renews its own lease before it looks for the dead', async () => {
    const { lease, renewLease, reap } = aLease();
    await lease.onModuleInit();
    await jest.advanceTimersByTimeAsync(LEASE_MS);
    expect(reap).toHaveBeenCalledTimes(6);
    const [renewals, reaps] = [renewLease, reap].map(({ mock }) => mock.invocationCallOrder);
    expect(reaps?.every((order, i) => order > (renewals?.[i] ?? Infinity))).toBe(true);
    await lease.onApplicationShutdown();
  });

  it('reaps nothing while its own lease cannot be renewed', async () => {
    const { lease, renewLease, reap } = aLease();
    renewLease.mockRejectedValue(away);
    await lease.onModuleInit();
    await jest.advanceTimersByTimeAsync(LEASE_MS);
    expect(renewLease).toHaveBeenCalledTimes(6);
    expect(reap).not.toHaveBeenCalled();
    await lease.onApplicationShutdown();
  });

  it('gives the others a lease to renew theirs after it was cut off for longer than one', async () => {
    const { lease, renewLease, reap } = aLease();
    await lease.onModuleInit();
    renewLease.mockRejectedValue(away);
    await jest.advanceTimersByTimeAsync(2 * LEASE_MS);
    renewLease.mockResolvedValue(undefined);
    reap.mockClear();
    await jest.advanceTimersByTimeAsync(LEASE_MS);
    expect(reap).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(LEASE_MS / 5);
    expect(reap).toHaveBeenCalledTimes(1);
    await lease.onApplicationShutdown();
  });
});
