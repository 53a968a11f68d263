import { type DatabaseHealth, type DegradedFigures, DegradedState } from '../../../src/database/index';
import { OpenRequests } from '../../../src/observability/index';
import { ReadinessService } from '../../../src/operations/readiness.service';
import type { ProviderRegistry } from '../../../src/providers/index';

interface Case {
  readonly isUp?: boolean;
  readonly hasProvider?: boolean;
  readonly journal?: Partial<DegradedFigures['journal']>;
  readonly float?: DegradedFigures['float'];
}

function aService(
  { isUp = true, hasProvider = true, journal, float }: Case,
  requests = new OpenRequests(),
): ReadinessService {
  const state = new DegradedState();
  state.tellBy(() => ({
    journal: { entries: 0, unsaved: 0, ...journal },
    float: float ?? { totalPicoUsd: 0n, leftPicoUsd: 0n },
  }));
  const provider = hasProvider
    ? { provider: 'openai', state: 'available' }
    : { provider: 'openai', state: 'missing', reason: 'key_missing', variables: ['OPENAI_API_KEY'] };
  const health = { isUp: () => Promise.resolve(isUp) } as unknown as DatabaseHealth;
  const providers = {
    availability: () => [provider],
    hasAvailable: () => provider.state === 'available',
  } as unknown as ProviderRegistry;
  return new ReadinessService(health, state, providers, requests);
}

const FULL = { totalPicoUsd: 5n * 10n ** 11n, leftPicoUsd: 25n * 10n ** 10n };
const EMPTY = { ...FULL, leftPicoUsd: 0n };

describe(ReadinessService.name, () => {
  it.each<[string, Case, { ready: boolean; degraded: boolean; floatLeftUsd: string | null }]>([
    ['all is well', {}, { ready: true, degraded: false, floatLeftUsd: null }],
    ['PostgreSQL is away', { isUp: false }, { ready: false, degraded: false, floatLeftUsd: null }],
    [
      'the float still pays',
      { isUp: false, float: FULL },
      { ready: true, degraded: true, floatLeftUsd: '0.25' },
    ],
    [
      'the float is used up',
      { isUp: false, float: EMPTY },
      { ready: false, degraded: false, floatLeftUsd: '0' },
    ],
    [
      'the float pays, but no intent can be written',
      { isUp: false, float: FULL, journal: { problem: 'ENOSPC' } },
      { ready: false, degraded: true, floatLeftUsd: '0.25' },
    ],
    [
      'the journal waits to be booked',
      { journal: { entries: 3, oldestAt: new Date(0) } },
      { ready: true, degraded: true, floatLeftUsd: null },
    ],
    [
      'settlements are in memory only',
      { journal: { unsaved: 2, problem: 'ENOSPC' } },
      { ready: true, degraded: true, floatLeftUsd: null },
    ],
    ['no provider is usable', { hasProvider: false }, { ready: false, degraded: false, floatLeftUsd: null }],
  ])('tells when %s', async (_, given, expected) => {
    const state = await aService(given).check();
    expect(state).toMatchObject(expected);
    expect([state.reasons.length === 0, state.warnings.length > 0]).toEqual([state.ready, state.degraded]);
  });

  it('shows what waits, how old it is, and whether the disk takes more', async () => {
    const journal = { entries: 3, unsaved: 1, oldestAt: new Date(1000), problem: 'ENOSPC' };
    const state = await aService({ journal }).check();
    expect(state.journal).toEqual({ entries: 4, oldestAt: '1970-01-01T00:00:01.000Z', writable: false });
    expect(state.warnings.join()).toContain('ENOSPC');
  });

  it('is not ready while the process drains', async () => {
    const requests = new OpenRequests();
    const service = aService({}, requests);
    expect(await service.check()).toMatchObject({ ready: true, draining: false });
    void requests.drain(0, 0);
    expect(await service.check()).toMatchObject({ ready: false, draining: true });
  });
});
