import {
  AttemptStatistics,
  type Capacities,
  type CapacitySlot,
  CircuitOpenError,
  type Circuits,
  CredentialRejectedError,
  ProviderError,
  type ProviderRegistry,
} from '../../../src/providers/index';
import type { AttemptState } from '../../../src/execution/attempt-state';
import { UpstreamGate } from '../../../src/execution/upstream-gate';
import type { SettledAttempt } from '../../../src/ledger/index';
import type { PlannedModel } from '../../../src/selection/index';
import { catalogModel } from '../../support/contract/catalog-model';

const CREDENTIAL_ID = '01890000-0000-7000-8000-000000000001';

const line = (
  usage: SettledAttempt['usage'],
  usageSource: SettledAttempt['usageSource'] = 'provider',
): SettledAttempt => ({
  attempt: 1,
  provider: 'openai',
  model: 'openai/test-model-1',
  outcome: 'succeeded',
  usageSource,
  usage,
  costPicoUsd: 0n,
  startedAt: new Date(),
  latencyMs: 1,
  disputes: [],
});

function gateWith(options: { isLimited: boolean; isOwn?: boolean; refusal?: Error }) {
  const slot = { waitedMs: 0, end: jest.fn(), giveBack: jest.fn() } satisfies CapacitySlot;
  const left = jest.fn();
  const enter = jest.fn(() => {
    if (options.refusal) throw options.refusal;
    return { leave: left };
  });
  const own = () => (options.isOwn ? `${CREDENTIAL_ID}:1` : undefined);
  const capacities = { limits: () => options.isLimited, enter: jest.fn(() => Promise.resolve(slot)) };
  const gate = new UpstreamGate(
    { enter, require: jest.fn() } as Partial<Circuits> as Circuits,
    new AttemptStatistics(),
    {
      ownCredentialRef: () => (options.isOwn ? { id: CREDENTIAL_ID, version: 1 } : undefined),
      laneOf: own,
    } as Partial<ProviderRegistry> as ProviderRegistry,
    capacities as Partial<Capacities> as Capacities,
  );
  const planned = { model: catalogModel() } as PlannedModel;
  const state = {
    ctx: { principal: { userId: 'user' } },
    remaining: [planned],
    pending: [] as SettledAttempt[],
    hasFallback: true,
    upstreamTokens: { estimatedPromptTokens: 10, requestedMaxTokens: 5, choices: 2 },
  };
  return { gate, slot, left, capacities, planned, state, asked: state as unknown as AttemptState };
}

describe(UpstreamGate.name, () => {
  it.each([
    ['a model without a capacity', { isLimited: false }],
    ['an owner’s own credential', { isLimited: true, isOwn: true }],
  ])('answers at once for %s', (_, options) => {
    const { gate, asked, planned, capacities } = gateWith(options);
    expect(gate.enter(asked, planned)).not.toBeInstanceOf(Promise);
    expect(capacities.enter).not.toHaveBeenCalled();
  });

  it('counts a script that answers in place of an own credential', () => {
    const { gate, asked, state, planned } = gateWith({ isLimited: true, isOwn: true });
    Object.assign(state, { useDirect: false });
    expect(gate.enter(asked, planned)).toBeInstanceOf(Promise);
  });

  it('asks for the tokens of the next request and tells those that were used', async () => {
    const { gate, asked, state, planned, capacities, slot, left } = gateWith({ isLimited: true });
    const passage = await gate.enter(asked, planned);
    expect(capacities.enter).toHaveBeenCalledWith(state.ctx, {
      model: planned.model,
      tokens: { prompt: 10, completion: 10 },
      hasFallback: true,
    });
    state.pending.push(line({ promptTokens: 8, completionTokens: 3 }));
    passage.leave(undefined);
    expect([slot.end.mock.calls, slot.giveBack.mock.calls, left.mock.calls]).toEqual([
      [[11]],
      [],
      [[undefined]],
    ]);
  });

  it('keeps the estimate when the provider told no figures', async () => {
    const { gate, asked, state, planned, slot } = gateWith({ isLimited: true });
    const passage = await gate.enter(asked, planned);
    state.pending.push(line({ promptTokens: 8 }));
    passage.leave(new Error('cut'));
    expect(slot.end.mock.calls).toEqual([[undefined]]);
  });

  it('keeps the estimate when only a bound is booked', async () => {
    const { gate, asked, state, planned, slot } = gateWith({ isLimited: true });
    const passage = await gate.enter(asked, planned);
    state.pending.push(line({ promptTokens: 400, completionTokens: 128_000 }, 'upper_bound'));
    passage.leave(new Error('cut'));
    expect(slot.end.mock.calls).toEqual([[undefined]]);
  });

  it('gives back what was not used: without a line nothing was sent', async () => {
    const { gate, asked, planned, slot } = gateWith({ isLimited: true });
    (await gate.enter(asked, planned)).leave(new Error('the budget is used up'));
    expect([slot.end.mock.calls.length, slot.giveBack.mock.calls.length]).toEqual([0, 1]);
  });

  it('gives back when the breaker has opened meanwhile', async () => {
    const refusal = new Error('open');
    const { gate, asked, planned, slot } = gateWith({ isLimited: true, refusal });
    await expect(gate.enter(asked, planned)).rejects.toBe(refusal);
    expect(slot.giveBack).toHaveBeenCalledTimes(1);
  });

  describe('failureOf', () => {
    const rejected = (upstreamStatus: number) =>
      new ProviderError(`openai answered ${upstreamStatus}`, {
        provider: 'openai',
        fault: 'rejected',
        upstreamStatus,
        mayBeBilled: false,
      });
    const open = (reason: 'credential_rejected' | 'overloaded') =>
      new CircuitOpenError({ provider: 'openai', reason, retryAfterMs: 1000 });

    it.each([
      ['the provider', rejected(401)],
      ['the provider, for want of money', rejected(402)],
      ['the breaker that remembers it', open('credential_rejected')],
    ])('is final and says what to do when %s refuses an own credential', (_, refusal) => {
      const { gate, asked, planned } = gateWith({ isLimited: false, isOwn: true });
      const seen = gate.failureOf(asked, planned, refusal);
      expect(seen).toBeInstanceOf(CredentialRejectedError);
      expect(seen).toMatchObject({
        code: 'CREDENTIAL_REJECTED',
        failure: 'final',
        details: { credentialId: 'crd_01890000000070008000000000000001' },
        message: expect.stringContaining('PATCH /api/v1/credentials/crd_') as string,
      });
    });

    it.each([
      ['a refusal of the installation’s credential', false, rejected(401)],
      ['a model that the own account may not use', true, rejected(403)],
      ['a model that failed lately', true, open('overloaded')],
      ['whatever else', true, new Error('cut')],
    ])('leaves %s as it is', (_, isOwn, failure) => {
      const { gate, asked, planned } = gateWith({ isLimited: false, isOwn });
      expect(gate.failureOf(asked, planned, failure)).toBe(failure);
    });
  });
});
