import { KeptToolCallsRepository } from '../../../src/execution/kept-tool-calls.repository';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { aCaller, aContext, bootNode, type LedgerNode } from '../ledger/ledger-node';

describe(KeptToolCallsRepository.name, () => {
  let database: TestDatabase;
  let node: LedgerNode;

  beforeAll(async () => {
    database = await createTestDatabase();
    node = await bootNode(database.url);
  });

  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  it.each([
    ['what only looks like NUL', String.raw`{"code":"\\u0000"}`, String.raw`{"code":"\\u0000"}`],
    ['NUL, which it takes out', 'a\0b', 'ab'],
    ['half a character, which it replaces', 'x\ud800y', 'x\ufffdy'],
  ])('keeps %s', async (_, written, kept) => {
    const repository = new KeptToolCallsRepository(node.pool);
    const ctx = aContext(await aCaller(node));
    const callOf = (id: string, argumentsText: string) =>
      ({ id, type: 'function', function: { name: 'f', arguments: argumentsText } }) as const;
    const roundOf = (argumentsText: string) => ({
      calls: [
        { call: callOf('call_0', argumentsText), clientId: 'call_2' },
        { call: callOf('call_1', argumentsText) },
      ],
      results: [{ role: 'tool', tool_call_id: 'call_1', content: argumentsText }] as const,
    });
    await repository.keep(ctx, roundOf(written));
    const found = await repository.find(ctx, ['call_1', 'call_2', 'call_3']);
    expect(found).toEqual(new Map([['call_2', roundOf(kept)]]));
    expect((await repository.find(aContext(await aCaller(node)), ['call_2'])).size).toBe(0);
  });
});
