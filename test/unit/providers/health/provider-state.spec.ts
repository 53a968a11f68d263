import { Breaker } from '../../../../src/providers/health/breaker';
import type { Circuit } from '../../../../src/providers/health/circuits';
import { together } from '../../../../src/providers/health/model-statistics';
import type { ProviderCheck } from '../../../../src/providers/health/provider-checks';
import { type HealthEvidence, stateOf } from '../../../../src/providers/health/provider-state';
import type { ProviderFault } from '../../../../src/providers/index';

const AT = 1_700_000_000_000;
const OK: ProviderCheck = { outcome: 'ok', at: AT };

const evidence = (more: Partial<HealthEvidence> = {}): HealthEvidence => ({
  availability: { provider: 'openai', state: 'available', variables: ['OPENAI_API_KEY'], detail: 'Ready' },
  traffic: together([]),
  circuits: [],
  ...more,
});

function openCircuit(model?: string): Circuit {
  const breaker: Circuit['breaker'] = new Breaker(
    { failures: 1, failurePercent: 50, openMs: 1000, maxOpenMs: 1000 },
    AT,
  );
  breaker.fail(
    breaker.enter(AT, () => false),
    AT,
    { reason: 'cut' },
  );
  return { provider: 'openai', model, breaker };
}

describe(stateOf.name, () => {
  it('is what the configuration says while something is missing', () => {
    const availability = {
      provider: 'openai',
      state: 'unavailable',
      reason: 'key_missing',
      variables: ['OPENAI_API_KEY'],
      detail: 'Set OPENAI_API_KEY',
    } as const;
    expect(stateOf(evidence({ availability, check: OK }))).toEqual({
      state: 'unavailable',
      reason: 'key_missing',
      detail: 'Set OPENAI_API_KEY',
    });
  });

  it('is unknown before the first check and without a free one', () => {
    expect(stateOf(evidence())).toMatchObject({ state: 'unknown', reason: 'not_checked' });
    const check: ProviderCheck = { outcome: 'impossible', at: AT };
    expect(stateOf(evidence({ check }))).toMatchObject({ state: 'unknown', reason: 'not_checked' });
  });

  it('is available after a check, and names the models that are left alone', () => {
    expect(stateOf(evidence({ check: OK }))).toEqual({ state: 'available', detail: 'Ready' });
    const circuits = [openCircuit('openai/b'), openCircuit('openai/a')];
    expect(stateOf(evidence({ check: OK, circuits }))).toEqual({
      state: 'available',
      detail: 'Ready; failed lately and left alone: openai/a, openai/b',
    });
  });

  it.each<[ProviderFault, string, string | undefined]>([
    ['rejected', 'error', 'credential_rejected'],
    ['connect', 'error', 'unreachable'],
    ['timeout', 'error', 'timeout'],
    ['overdue', 'error', 'timeout'],
    ['overloaded', 'error', 'failing'],
    ['malformed', 'error', 'failing'],
    ['rate_limited', 'available', undefined],
    ['not_found', 'unknown', 'not_checked'],
  ])('takes a check that failed with %s for %s', (fault, state, reason) => {
    const found = stateOf(evidence({ check: { outcome: 'failed', at: AT, fault } }));
    expect([found.state, found.reason]).toEqual([state, reason]);
  });

  it('believes an answer that came after the check, and not one before it', () => {
    const check: ProviderCheck = { outcome: 'failed', at: AT, fault: 'connect' };
    const traffic = (lastSuccessAt: number) => ({ ...together([]), lastSuccessAt });
    expect(stateOf(evidence({ check, traffic: traffic(AT + 1) })).state).toBe('available');
    expect(stateOf(evidence({ check, traffic: traffic(AT - 1) })).state).toBe('error');
  });

  it('believes a check that took a refused credential once calls are let through again', () => {
    const circuits = [openCircuit(), openCircuit('openai/a')];
    const later: ProviderCheck = { outcome: 'ok', at: circuits[0]?.breaker.retryAt ?? 0 };
    expect(stateOf(evidence({ check: later, circuits }))).toEqual({
      state: 'available',
      detail: 'Ready; failed lately and left alone: openai/a',
    });
    const early = { ...later, at: later.at - 1 };
    for (const check of [OK, early, { ...later, outcome: 'impossible' as const }, undefined]) {
      expect(stateOf(evidence({ check, circuits }))).toMatchObject({ reason: 'credential_rejected' });
    }
  });

  it('is an error while the credential is refused, and says whose', () => {
    const circuits = [openCircuit()];
    const found = stateOf(evidence({ check: OK, circuits }));
    expect(found).toMatchObject({ state: 'error', reason: 'credential_rejected' });
    expect(found.detail).toContain('OPENAI_API_KEY');
    expect(stateOf(evidence({ check: OK, circuits, hasOwn: true })).detail).toContain('your own');
  });
});
