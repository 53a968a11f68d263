import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { newId, type RequestContext } from '../../../src/common/index';
import { DatabaseWatch, DegradedState } from '../../../src/database/index';
import { ServiceUnavailableError } from '../../../src/errors/index';
import type { Hold } from '../../../src/ledger/index';
import { DegradedLedger } from '../../../src/ledger/degraded-ledger.service';
import { ownerRow } from '../../../src/ledger/ledger-rows';
import { OpenHolds } from '../../../src/ledger/open-holds';
import { DatabaseProxy } from '../../support/database/database-proxy';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { eventually } from '../../support/eventually';
import {
  aBudget,
  aCaller,
  aCommand,
  aContext,
  anAttempt,
  bootNode,
  type Caller,
  CENT,
  countOf,
  type LedgerNode,
  linesOf,
  tryAdmit,
} from './ledger-node';

/** Its float: 50 cents; a call takes ten at worst and costs four. */
const FLOAT = { DEGRADED_FLOAT_USD: '0.50' };

describe(DegradedLedger.name, () => {
  let database: TestDatabase;
  let proxy: DatabaseProxy;
  let node: LedgerNode;
  /** Sees the database while the node does not. */
  let witness: LedgerNode;
  let caller: Caller;
  let ctx: RequestContext;

  beforeAll(async () => {
    database = await createTestDatabase();
    witness = await bootNode(database.url);
  });

  afterAll(async () => {
    await witness.close();
    await database.drop();
  });

  beforeEach(async () => {
    proxy = await DatabaseProxy.start(database.url);
    node = await bootNode(proxy.url, { env: FLOAT });
    caller = await aCaller(witness);
    ctx = aContext(caller);
  });

  afterEach(async () => {
    await proxy.restore();
    await back();
    await node.close();
    await proxy.stop();
    expect(await witness.reconciliation.reconcile()).toEqual([]);
  });

  const watch = (): DatabaseWatch => node.module.get(DatabaseWatch);
  const figures = () => node.module.get(DegradedState).figures;
  const floatLeft = (): bigint => figures().float.leftPicoUsd / CENT;

  async function away(): Promise<void> {
    await proxy.refuse();
    await eventually(() => Promise.resolve(watch().isDown ? true : undefined));
  }

  async function back(): Promise<void> {
    await proxy.restore();
    await eventually(() => Promise.resolve(watch().isDown ? undefined : true));
    await node.replayer.replay();
  }

  /** What a process that was killed leaves behind. */
  function leave(entries: readonly object[]): string {
    const dead = newId();
    const header = { process: dead, pid: 2 ** 22 + 1, host: hostname() };
    const folder = path.join(node.dataDir, 'journal');
    mkdirSync(folder, { recursive: true });
    const text = [header, ...entries].map((entry) => `${JSON.stringify(entry)}\n`).join('');
    writeFileSync(path.join(folder, `${dead}.ndjson`), text);
    return dead;
  }

  const bound = (attempt: number) => ({
    request_id: ctx.requestId,
    attempt,
    provider: 'openai',
    model: 'openai/gpt-test',
    outcome: 'crashed',
    usage_source: 'upper_bound',
    prompt_tokens: 60,
    completion_tokens: 40,
    cost_pico_usd: String(10n * CENT),
    price_version: 7,
    error_code: 'PROCESS_LOST',
    started_at: new Date(),
  });
  const truth = (attempt: number) => ({
    ...bound(attempt),
    outcome: 'succeeded',
    usage_source: 'provider',
    cost_pico_usd: String(4n * CENT),
    error_code: undefined,
  });

  it('holds the worst case like a hard budget, warns, and books the true cost later with its owner', async () => {
    await aBudget(witness, { scopeId: caller.userId, limitPicoUsd: 1n * CENT });
    await away();
    const hold = await node.ledger.admit(ctx, aCommand());
    expect(hold).toMatchObject({ heldPicoUsd: 10n * CENT, isHard: true });
    expect(hold.warnings).toEqual([expect.stringContaining('degraded float')]);
    expect(floatLeft()).toBe(40n);
    await node.ledger.settle(ctx, hold, [anAttempt()]);
    expect(floatLeft()).toBe(46n);
    expect(figures().journal).toMatchObject({ entries: 1, unsaved: 0, oldestAt: expect.any(Date) });
    await back();
    await expect(linesOf(witness, ctx)).resolves.toMatchObject([
      { user_id: caller.userId, key_id: caller.keyId, cost_pico_usd: String(4n * CENT), price_version: 7 },
    ]);
    const [budget] = (await witness.database.query(
      'select p.spent_pico as spent, p.held_pico as held from budget_periods p join budgets b on b.id = p.budget_id where b.scope_id = $1',
      [caller.userId],
    )) as unknown[];
    expect(budget).toEqual({ spent: String(4n * CENT), held: '0' });
    expect([floatLeft(), figures().journal.entries]).toEqual([50n, 0]);
  });

  it('refuses what the float cannot pay, at whatever concurrency', async () => {
    await away();
    const contexts = Array.from({ length: 8 }, () => aContext(caller));
    const answers = await Promise.all(contexts.map((each) => tryAdmit(node, each)));
    const refused = answers.filter((answer) => answer instanceof ServiceUnavailableError);
    expect([answers.length - refused.length, refused.length, floatLeft()]).toEqual([5, 3, 0n]);
    for (const [index, answer] of answers.entries()) {
      if (!(answer instanceof Error)) await node.ledger.settle(contexts[index] as RequestContext, answer, []);
    }
    expect(floatLeft()).toBe(50n);
  });

  it('pays nothing where the price is unknown', async () => {
    await away();
    const command = aCommand();
    const unpriced = { ...command, intent: { ...command.intent, priceVersion: undefined } };
    await expect(tryAdmit(node, ctx, unpriced)).resolves.toBeInstanceOf(ServiceUnavailableError);
  });

  it('pays nothing when the disk does not take the intent, and says so', async () => {
    await away();
    rmSync(path.join(node.dataDir, 'journal'), { recursive: true, force: true });
    writeFileSync(path.join(node.dataDir, 'journal'), 'a file where the folder should be');
    await expect(tryAdmit(node, ctx)).resolves.toBeInstanceOf(ServiceUnavailableError);
    expect([floatLeft(), figures().journal.problem]).toEqual([50n, expect.any(String)]);
    rmSync(path.join(node.dataDir, 'journal'));
  });

  it('goes on from a hold of the books to the float and back again', async () => {
    const hold = await node.ledger.admit(ctx, aCommand());
    await away();
    const second = await node.ledger.advance(ctx, hold, [anAttempt()], aCommand({}, 2));
    expect([second.isHard, floatLeft()]).toEqual([true, 40n]);
    await back();
    const third = await node.ledger.advance(ctx, second, [anAttempt({ attempt: 2 })], aCommand({}, 3));
    expect(floatLeft()).toBe(46n);
    await node.ledger.settle(ctx, third, [anAttempt({ attempt: 3 })]);
    await node.replayer.replay();
    expect(await linesOf(witness, ctx)).toMatchObject([
      { attempt: 1, outcome: 'succeeded' },
      { attempt: 2, outcome: 'succeeded' },
      { attempt: 3, outcome: 'succeeded' },
    ]);
    expect(await countOf(witness, 'holds where request_id = $1', [ctx.requestId])).toBe(0);
    expect(floatLeft()).toBe(50n);
  });

  it('keeps the intent of a call that outlives the outage on the disk until the call is booked', async () => {
    await away();
    const hold = await node.ledger.admit(ctx, aCommand());
    const other = aContext(caller);
    await node.ledger.settle(other, await node.ledger.admit(other, aCommand()), [anAttempt()]);
    await back();
    expect(await linesOf(witness, other)).toHaveLength(1);
    expect(await linesOf(witness, ctx)).toEqual([]);
    expect(readdirSync(path.join(node.dataDir, 'journal'))).toEqual([`${node.processId}.ndjson`]);
    await node.ledger.settle(ctx, hold, [anAttempt()]);
    await node.replayer.replay();
    expect(readdirSync(path.join(node.dataDir, 'journal'))).toEqual([]);
    expect(await linesOf(witness, ctx)).toHaveLength(1);
  });

  describe('after the death of a process', () => {
    it('books its unfinished calls at their bound, and the finished ones as they were', async () => {
      const owner = ownerRow(ctx, 'GENERAL');
      leave([
        { owner, intent: bound(1) },
        { owner, lines: [truth(1)] },
        { owner, intent: bound(2) },
      ]);
      await node.replayer.replay();
      await node.replayer.replay();
      await expect(linesOf(witness, ctx)).resolves.toMatchObject([
        { attempt: 1, outcome: 'succeeded', cost_pico_usd: String(4n * CENT) },
        { attempt: 2, outcome: 'crashed', usage_source: 'upper_bound', cost_pico_usd: String(10n * CENT) },
      ]);
    });

    it('leaves what it had booked itself alone', async () => {
      const hold = await witness.ledger.admit(ctx, aCommand());
      await witness.ledger.settle(ctx, hold, [anAttempt()]);
      leave([{ owner: ownerRow(ctx, 'GENERAL'), intent: bound(1) }]);
      await node.replayer.replay();
      await expect(linesOf(witness, ctx)).resolves.toMatchObject([
        { outcome: 'succeeded', cost_pico_usd: String(4n * CENT) },
      ]);
    });
  });

  it('releases no hold of a call that the float has taken over', async () => {
    await away();
    const hold: Hold = await node.ledger.admit(ctx, aCommand());
    expect(node.module.get(OpenHolds).has(ctx.requestId)).toBe(true);
    await back();
    await node.lease.beat();
    await node.ledger.settle(ctx, hold, [anAttempt()]);
    expect(node.module.get(OpenHolds).has(ctx.requestId)).toBe(false);
  });
});
