import { newId } from '../../../src/common/index';
import type { LedgerLane } from '../../../src/ledger/ledger.lane';
import type { Settlement } from '../../../src/ledger/ledger-rows';
import type { LedgerStore } from '../../../src/ledger/ledger.store';
import { OpenHolds } from '../../../src/ledger/open-holds';
import type { SettlementJournal } from '../../../src/ledger/settlement-journal';
import { Settler } from '../../../src/ledger/settler.service';
import type { AppLogger } from '../../../src/observability/index';

const away = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' });

function aSettlement(): Settlement {
  return { owner: { request_id: newId(), user_id: newId(), task_type: 'GENERAL' }, lines: [] };
}

function aSettler() {
  const lane = { settle: jest.fn().mockRejectedValue(away) };
  const journal = { length: 0, append: jest.fn().mockRejectedValue(full), reject: jest.fn() };
  const logger = { warn: jest.fn(), fatal: jest.fn(), event: jest.fn() };
  const openHolds = new OpenHolds();
  const settler = new Settler(
    lane as unknown as LedgerLane,
    {} as LedgerStore,
    journal as unknown as SettlementJournal,
    openHolds,
    logger as unknown as AppLogger,
  );
  return { settler, lane, journal, logger, openHolds };
}

describe(Settler.name, () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('keeps what neither PostgreSQL nor the disk takes, and books it later', async () => {
    const { settler, lane, logger, openHolds } = aSettler();
    const settlement = aSettlement();
    openHolds.add(settlement.owner.request_id);
    await settler.settle(settlement);
    expect(logger.fatal).toHaveBeenCalledTimes(1);
    expect(settler.unsavedCount).toBe(1);
    await jest.advanceTimersByTimeAsync(5000);
    expect(openHolds.has(settlement.owner.request_id)).toBe(true);
    lane.settle.mockReset().mockResolvedValue(undefined);
    await jest.advanceTimersByTimeAsync(1000);
    expect(lane.settle.mock.calls).toEqual([[settlement]]);
    expect(openHolds.has(settlement.owner.request_id)).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('writes it to the journal as soon as the disk takes it', async () => {
    const { settler, journal } = aSettler();
    const settlement = aSettlement();
    await settler.settle(settlement);
    journal.append.mockReset().mockResolvedValue(undefined);
    await jest.advanceTimersByTimeAsync(2000);
    expect(journal.append.mock.calls).toEqual([[settlement]]);
  });

  it('tries once more before the process ends', async () => {
    const { settler, journal } = aSettler();
    await settler.settle(aSettlement());
    journal.append.mockReset().mockResolvedValue(undefined);
    await settler.onApplicationShutdown();
    expect(journal.append).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
  });
});
