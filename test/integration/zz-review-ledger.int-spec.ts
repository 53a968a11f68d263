import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createTestDatabase, type TestDatabase } from '../support/database/test-database';
import { AttemptRunner } from '../../src/execution/attempt-runner';
import { settledFailure } from '../../src/execution/settlement';
import { ADMIN, aBudget, aCaller, aCommand, aContext, anAttempt, bootNode, CENT, kill, linesOf, type LedgerNode } from './ledger/ledger-node';

let db: TestDatabase; let node: LedgerNode;
let now = new Date('2026-07-31T23:59:30Z');
beforeAll(async () => { db = await createTestDatabase(); });
afterAll(async () => { await db.drop(); });

it('A bound cost', async () => {
  node = await bootNode(db.url);
  const planned = { model: { id: 'openai/x', provider: 'openai', maxOutputTokens: 4096 }, price: { version: 3, model: 'x', source: 's', validFrom: new Date(), prices: { inputPicoUsd: 1000000n, outputPicoUsd: 4000000n }, tiers: [] } } as never;
  const state = { tokens: { boundPromptTokens: 100, estimatedPromptTokens: 25, choices: 1, requestedMaxTokens: 50 } } as never;
  const intent = AttemptRunner.prototype.intent.call({} as never, state, planned, 1);
  console.log('intent', JSON.stringify(intent, (_, v) => typeof v === 'bigint' ? String(v) : v));
  const caller = await aCaller(node);
  const id = await aBudget(node, { scopeId: caller.userId, limitPicoUsd: 10n * CENT });
  const ctx = aContext(caller);
  await node.ledger.admit(ctx, { ...aCommand(), intent });
  await kill(node, node.processId);
  await node.reaper.reap();
  const b = await node.budgets.get(ADMIN, id);
  const [l] = await linesOf(node, ctx);
  console.log('A: line cost', l?.cost_pico_usd, l?.usage_source, 'spent', b.spentPicoUsd, 'held', b.heldPicoUsd);
  await node.close();
});

it('B drift by old period', async () => {
  node = await bootNode(db.url, { now: () => now });
  const caller = await aCaller(node);
  const old = aContext(caller);
  await node.ledger.settle(old, await node.ledger.admit(old, aCommand()), [anAttempt()]);
  const ctx = aContext(caller);
  let hold = await node.ledger.admit(ctx, aCommand());
  now = new Date('2026-08-01T00:00:30Z');
  await node.database.query(`select ledger_create_budget($1,'user',$2,'month',$3,'hard',$4)`, [crypto.randomUUID(), caller.userId, String(500n*CENT), now]);
  hold = await node.ledger.advance(ctx, hold, [anAttempt()], { intent: aCommand({}, 2).intent, amounts: aCommand().amounts });
  await node.ledger.settle(ctx, hold, [anAttempt({ attempt: 2 })]);
  console.log('B: differences', (await node.reconciliation.reconcile()).map((d) => ({ ...d, counted: String(d.counted), actual: String(d.actual) })));
  await node.close();
});

it('C live process reaped by itself; tokens counted', async () => {
  node = await bootNode(db.url);
  const caller = await aCaller(node);
  const id = await aBudget(node, { scopeId: caller.userId });
  const lim = await node.limits.create(ADMIN, { scope: 'user', scopeId: caller.userId, tokensPerHour: 100000, concurrency: 1 });
  const ctx = aContext(caller);
  const hold = await node.ledger.admit(ctx, aCommand());
  await kill(node, node.processId); // as after an outage of PostgreSQL longer than the lease
  console.log('C: own reaper took', await node.reaper.reap());
  await node.ledger.settle(ctx, hold, []); // nothing had been sent
  console.log('C: lines', (await linesOf(node, ctx)).map((l) => [l.attempt, l.outcome, l.cost_pico_usd]), 'spent', (await node.budgets.get(ADMIN, id)).spentPicoUsd);
  const ctx2 = aContext(caller);
  const h2 = await node.ledger.admit(ctx2, aCommand());
  await kill(node, node.processId);
  await node.reaper.reap();
  const ctx3 = aContext(caller);
  const h3 = await node.ledger.admit(ctx3, aCommand()); // second concurrent although concurrency 1
  await node.ledger.settle(ctx2, h2, [anAttempt({ usage: { promptTokens: 5000, completionTokens: 5000 } })]);
  await node.ledger.settle(ctx3, h3, [anAttempt()]);
  console.log('C: counters', await node.database.query('select running, hour_tokens, hour_requests from limit_counters where limit_id=$1', [lim.id]));
  console.log('C: diff', await node.reconciliation.reconcile());
  await node.close();
});

it('E settledFailure throws', () => {
  const price = { version: 3, prices: { inputPicoUsd: 1000000n, outputPicoUsd: 4000000n }, tiers: [] };
  const sent = { planned: { price }, intent: { attempt: 1, boundPromptTokens: 100, boundCompletionTokens: 10 }, startedAt: new Date(), startedAtMs: 0, choices: 1, isHard: true, heldPicoUsd: 1n } as never;
  try { console.log('E', settledFailure(sent, new Error('x'), { endedAtMs: 1, answerBytes: 4 }, { usage: { promptTokens: 10, cachedReadTokens: 20, completionTokens: 5 }, finishReason: 'unknown', warnings: [] } as never)); }
  catch (e) { console.log('E throws', String(e)); }
});

it('D late reap bound above hold', async () => {
  node = await bootNode(db.url);
  const caller = await aCaller(node);
  const id = await aBudget(node, { scopeId: caller.userId, limitPicoUsd: 10n * CENT });
  const ctx = aContext(caller);
  const c = aCommand({ worst: 20n * CENT, minimum: 1n * CENT });
  const h = await node.ledger.admit(ctx, c);
  await kill(node, node.processId); await node.reaper.reap();
  const b = await node.budgets.get(ADMIN, id);
  console.log('D2: held was', h.heldPicoUsd, 'booked', b.spentPicoUsd, 'limit', b.limitPicoUsd);
  void writeFileSync; void path;
  await node.close();
});
