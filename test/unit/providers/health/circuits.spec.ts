import { loadConfig } from '../../../../src/config/index';
import type { AppLogger, Metrics } from '../../../../src/observability/index';
import {
  Circuits,
  type CircuitTarget,
  ProviderError,
  type ProviderFault,
} from '../../../../src/providers/index';

const LUNA: CircuitTarget = { provider: 'openai', model: 'openai/luna' };
const SOL: CircuitTarget = { provider: 'openai', model: 'openai/sol' };
const AZURE: CircuitTarget = { provider: 'azure', model: 'azure/luna' };

const failure = (fault: ProviderFault, upstreamStatus?: number) =>
  new ProviderError('failed', { provider: 'openai', fault, upstreamStatus, mayBeBilled: false });

function setUp(env: Record<string, string> = {}) {
  const config = loadConfig({
    LATTICE_ENV: 'test',
    LATTICE_SECRET_KEY: 'x'.repeat(48),
    BREAKER_FAILURES: '2',
    BREAKER_OPEN_MS: '1000',
    ...env,
  });
  const logger = { event: jest.fn() };
  const [transitions, refusals] = [jest.fn(), jest.fn()];
  const circuits = new Circuits(
    config,
    logger as unknown as AppLogger,
    { circuits: { inc: transitions }, refusals: { inc: refusals } } as unknown as Metrics,
  );
  const enter = (target: CircuitTarget, candidates = [target]) =>
    circuits.enter(
      target,
      () => candidates,
      () => false,
    );
  const fail = (target: CircuitTarget, fault: ProviderFault = 'overloaded', status?: number) =>
    enter(target).leave(failure(fault, status));
  const refusal = (target: CircuitTarget, candidates?: CircuitTarget[]): unknown => {
    try {
      enter(target, candidates);
    } catch (error) {
      return error;
    }
    return undefined;
  };
  return { circuits, logger, transitions, refusals, enter, fail, refusal };
}

describe(Circuits.name, () => {
  let now = 0;

  beforeEach(() => {
    now = 1000;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
  });

  afterEach(() => jest.restoreAllMocks());

  it('refuses a model that failed in a row, with the time to wait, and no other', () => {
    const { fail, refusal } = setUp();
    fail(LUNA);
    expect(refusal(LUNA)).toBeUndefined();
    fail(LUNA);
    expect(refusal(LUNA)).toMatchObject({
      code: 'CIRCUIT_OPEN',
      status: 503,
      failure: 'fallover',
      retryAfterMs: 1000,
      details: { provider: 'openai', model: 'openai/luna', reason: 'overloaded' },
    });
    expect(refusal(SOL)).toBeUndefined();
  });

  it('refuses the whole provider when it refused the credential, and only those who use that credential', () => {
    const { fail, refusal } = setUp();
    fail(LUNA, 'rejected', 401);
    expect(refusal(SOL)).toMatchObject({ details: { reason: 'credential_rejected' } });
    expect(refusal({ ...SOL, credentialId: 'mine' })).toBeUndefined();
    expect(refusal(AZURE)).toBeUndefined();
  });

  it('keeps the failures of one credential from those who use another', () => {
    const { circuits, fail, refusal } = setUp();
    const mine = { ...LUNA, credentialId: 'mine' };
    fail(mine);
    fail(mine);
    fail({ ...SOL, credentialId: 'mine' }, 'rejected', 401);
    expect(refusal(mine)).toBeDefined();
    expect(refusal(LUNA)).toBeUndefined();
    expect(circuits.list('openai')).toEqual([]);
  });

  it('lets one probe through, whose success closes it for all', () => {
    const { enter, fail, refusal, logger, transitions } = setUp();
    fail(LUNA);
    fail(LUNA);
    now += 1000;
    const probe = enter(LUNA);
    expect(refusal(LUNA)).toBeDefined();
    probe.leave(undefined);
    expect(refusal(LUNA)).toBeUndefined();
    const labels = { provider: 'openai', model: 'openai/luna' };
    expect(transitions.mock.calls.map(([call]) => call as unknown)).toEqual(
      ['open', 'half_open', 'closed'].map((to) => ({ ...labels, to })),
    );
    expect(logger.event).toHaveBeenCalledWith(
      'circuit',
      expect.objectContaining({ ...labels, state: 'open', reason: 'overloaded', openMs: 1000 }),
    );
  });

  it.each<ProviderFault>(['invalid_request', 'aborted', 'context_length'])(
    'neither opens nor closes on %s',
    (fault) => {
      const { circuits, fail, refusal } = setUp();
      for (let count = 0; count < 5; count++) fail(LUNA, fault);
      expect(circuits.list('openai')).toEqual([]);
      fail(LUNA);
      fail(LUNA);
      now += 1000;
      fail(LUNA, fault);
      expect(circuits.list('openai')[0]?.breaker.state).toBe('half_open');
      expect(refusal(LUNA)).toBeUndefined();
      expect(refusal(LUNA)).toBeDefined();
    },
  );

  it('tells the shortest wait when every candidate is left alone', () => {
    const { fail, refusal } = setUp();
    fail(LUNA);
    fail(LUNA);
    now += 400;
    fail(AZURE);
    fail(AZURE);
    expect(refusal(AZURE, [LUNA, AZURE])).toMatchObject({ retryAfterMs: 600 });
  });

  it('tries the one that failed the longest ago when nothing else is left, one call at a time', () => {
    const { enter, fail, refusal } = setUp();
    const fallTwice = (target: CircuitTarget) => {
      fail(target);
      fail(target);
    };
    fallTwice(LUNA);
    fallTwice(AZURE);
    now += 1000;
    fail(AZURE);
    now += 10;
    fail(LUNA);
    now += 1000;
    const all = [LUNA, AZURE];
    expect(refusal(LUNA, [LUNA, SOL])).toBeDefined();
    expect(refusal(LUNA, all)).toBeDefined();
    expect(refusal(AZURE, all)).toBeUndefined();
    expect(refusal(AZURE, all)).toBeDefined();
    enter(LUNA, all).leave(undefined);
    expect(refusal(LUNA)).toBeUndefined();
  });

  it('forgets a provider, whosever credential it is, and no other', () => {
    const { circuits, fail, refusal } = setUp();
    const mine = { ...LUNA, credentialId: 'mine' };
    for (const target of [LUNA, LUNA, mine, mine, AZURE, AZURE]) fail(target);
    circuits.forget('openai');
    expect([refusal(LUNA), refusal(mine)]).toEqual([undefined, undefined]);
    expect(refusal(AZURE)).toBeDefined();
  });

  it('does nothing when it is switched off', () => {
    const { circuits, fail, refusal } = setUp({ BREAKER_FAILURES: '0' });
    for (let count = 0; count < 30; count++) fail(LUNA);
    fail(LUNA, 'rejected', 401);
    expect(refusal(LUNA)).toBeUndefined();
    expect(circuits.list('openai')).toEqual([]);
  });
});
