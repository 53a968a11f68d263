import { newId } from '../../../src/common/index';
import type { AppConfig } from '../../../src/config/index';
import type { DatabaseWatch } from '../../../src/database/index';
import { DegradedFloat } from '../../../src/ledger/degraded-float';
import { DegradedLedger } from '../../../src/ledger/degraded-ledger.service';
import type { AdmitCommand } from '../../../src/ledger/index';
import { OpenHolds } from '../../../src/ledger/open-holds';
import type { SettlementJournal } from '../../../src/ledger/settlement-journal';
import type { AppLogger } from '../../../src/observability/index';

const COMMAND: AdmitCommand = {
  taskType: 'GENERAL',
  amounts: { worstPicoUsd: 5n, minimumPicoUsd: 5n, estimatePicoUsd: 5n, estimateTokens: 1 },
  intent: {
    attempt: 2,
    provider: 'openai',
    model: 'openai/gpt-test',
    priceVersion: 7,
    boundPromptTokens: 1,
    boundCompletionTokens: 1,
  },
};

describe(DegradedLedger.name, () => {
  const owner = { request_id: newId(), user_id: newId(), task_type: 'GENERAL' };

  function aLedger(append: () => Promise<void>) {
    const openHolds = new OpenHolds();
    const ledger = new DegradedLedger(
      { isDown: true } as DatabaseWatch,
      new DegradedFloat({ degradedFloatPicoUsd: 100n } as AppConfig),
      { append } as unknown as SettlementJournal,
      openHolds,
      { fatal: () => undefined } as unknown as AppLogger,
    );
    return { ledger, openHolds };
  }

  it('keeps nothing of a request whose intent the disk does not take', async () => {
    const { ledger, openHolds } = aLedger(() => Promise.reject(new Error('ENOSPC')));
    await expect(ledger.admit(owner, COMMAND)).resolves.toBeUndefined();
    expect(ledger.isOpen(owner.request_id)).toBe(false);
    expect(openHolds.has(owner.request_id)).toBe(false);
  });

  it('holds the request open, from its way to the disk on', async () => {
    const onTheWay: boolean[] = [];
    const { ledger, openHolds } = aLedger(() => {
      onTheWay.push(ledger.isOpen(owner.request_id));
      return Promise.resolve();
    });
    await expect(ledger.admit(owner, COMMAND)).resolves.toMatchObject({ heldPicoUsd: 5n, isHard: true });
    expect(onTheWay).toEqual([true]);
    expect(openHolds.has(owner.request_id)).toBe(true);
  });
});
