import { PROVIDER_IDS, type ProviderId } from '../../../../src/common/index';
import { NotFoundError } from '../../../../src/errors/index';
import { type CheckTarget, ProviderChecks } from '../../../../src/providers/health/provider-checks';
import { ProviderError, type ProviderRegistry } from '../../../../src/providers/index';

type ListModels = (provider: ProviderId, signal: AbortSignal) => Promise<readonly string[]>;

function setUp(listModels?: ListModels) {
  const adapterOf = (provider: ProviderId) =>
    listModels ? { listModels: (signal: AbortSignal) => listModels(provider, signal) } : {};
  const adapter = jest.fn((provider: ProviderId) => Promise.resolve(adapterOf(provider)));
  const open = jest.fn((provider: ProviderId) => Promise.resolve({ adapter: adapterOf(provider) }));
  return { checks: new ProviderChecks({ adapter, open } as unknown as ProviderRegistry), adapter, open };
}

const OPENAI = { provider: 'openai' } as const;
const { signal: PATIENT } = new AbortController();

function refresh(checks: ProviderChecks, target: CheckTarget): Promise<void> {
  return checks.refresh(target, PATIENT);
}

describe(ProviderChecks.name, () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  it('asks once a minute at most, and once for all who ask meanwhile', async () => {
    const list = jest.fn(() => Promise.resolve(['one']));
    const { checks } = setUp(list);
    await Promise.all([refresh(checks, OPENAI), refresh(checks, OPENAI)]);
    await refresh(checks, OPENAI);
    expect(list).toHaveBeenCalledTimes(1);
    expect(checks.last(OPENAI)).toMatchObject({ outcome: 'ok' });
    await jest.advanceTimersByTimeAsync(60_001);
    await refresh(checks, OPENAI);
    expect(list).toHaveBeenCalledTimes(2);
  });

  it('checks all providers at once', async () => {
    const finish: (() => void)[] = [];
    const { checks } = setUp(() => new Promise((resolve) => finish.push(() => resolve([]))));
    const providers = PROVIDER_IDS.map((provider) => ({ provider }));
    const all = Promise.all(providers.map((target) => refresh(checks, target)));
    await jest.advanceTimersByTimeAsync(1);
    expect(finish).toHaveLength(PROVIDER_IDS.length);
    for (const end of finish) end();
    await all;
    expect(providers.map((target) => checks.last(target)?.outcome)).toEqual(providers.map(() => 'ok'));
  });

  describe('of owners', () => {
    const ownOf = (id: number) =>
      ({ provider: 'openai', own: { credentialId: `c${id}`, ownerId: `u${id}` } }) as const;
    const busy = () => {
      const finish: (() => void)[] = [];
      const { checks } = setUp(() => new Promise((resolve) => finish.push(() => resolve([]))));
      const first = Promise.all([1, 2, 3, 4].map((id) => refresh(checks, ownOf(id))));
      const end = async (): Promise<void> => {
        for (const settle of finish) settle();
        await jest.advanceTimersByTimeAsync(1);
      };
      return { checks, finish, first, end };
    };

    it('are made four at a time, and hold up none of the installation', async () => {
      const { checks, finish, first, end } = busy();
      const fifth = refresh(checks, ownOf(5));
      const installation = refresh(checks, OPENAI);
      await jest.advanceTimersByTimeAsync(1);
      expect(finish).toHaveLength(5);
      await end();
      expect(finish).toHaveLength(6);
      await end();
      await Promise.all([first, fifth, installation]);
      expect([ownOf(5), OPENAI].map((target) => checks.last(target)?.outcome)).toEqual(['ok', 'ok']);
    });

    it('are given up while they wait, once nobody waits for them', async () => {
      const { checks, finish, first, end } = busy();
      const [one, other] = [new AbortController(), new AbortController()];
      const asked = [one, other].map(({ signal }) => checks.refresh(ownOf(5), signal));
      const kept = refresh(checks, ownOf(6));
      one.abort();
      await asked[0];
      await jest.advanceTimersByTimeAsync(1);
      other.abort();
      await asked[1];
      await end();
      expect(finish).toHaveLength(5);
      await end();
      await Promise.all([first, kept]);
      expect([5, 6].map((id) => checks.last(ownOf(id))?.outcome)).toEqual([undefined, 'ok']);
    });

    it('go on without their askers once they have begun', async () => {
      const { checks, end } = busy();
      const leaving = new AbortController();
      const asked = checks.refresh(ownOf(1), leaving.signal);
      leaving.abort();
      await asked;
      await end();
      expect(checks.last(ownOf(1))?.outcome).toBe('ok');
    });
  });

  it('keeps the fault and nothing of what the upstream said', async () => {
    const { checks } = setUp(() =>
      Promise.reject(
        new ProviderError('sk-secret refused', { provider: 'openai', fault: 'rejected', mayBeBilled: false }),
      ),
    );
    await refresh(checks, OPENAI);
    expect(checks.last(OPENAI)).toMatchObject({ outcome: 'failed', fault: 'rejected' });
    expect(JSON.stringify(checks.last(OPENAI))).not.toContain('sk-secret');
  });

  it('cannot check a provider without a list call', async () => {
    const { checks } = setUp();
    await refresh(checks, OPENAI);
    expect(checks.last(OPENAI)?.outcome).toBe('impossible');
  });

  it('stops asking at shutdown, also an adapter that does not heed the signal', async () => {
    const { checks } = setUp(() => new Promise(() => undefined));
    const refreshed = refresh(checks, OPENAI);
    await jest.advanceTimersByTimeAsync(1);
    checks.onApplicationShutdown();
    await refreshed;
    expect(checks.last(OPENAI)).toMatchObject({ outcome: 'failed', fault: 'timeout' });
  });

  it('checks an owner’s credential apart, with the adapter that uses it', async () => {
    const { checks, adapter, open } = setUp(() => Promise.resolve([]));
    const own = { provider: 'openai', own: { credentialId: 'c1', ownerId: 'u1' } } as const;
    await refresh(checks, own);
    expect([adapter.mock.calls, open.mock.calls]).toEqual([[], [['openai', { ownerId: 'u1' }]]]);
    expect(checks.last(OPENAI)).toBeUndefined();
    open.mockRejectedValue(new NotFoundError('cannot be opened'));
    checks.forget('openai');
    await refresh(checks, own);
    expect(checks.last(own)).toMatchObject({ outcome: 'failed', fault: 'rejected' });
  });

  it('does not keep a check that was running when everything was forgotten', async () => {
    let finish = (): void => undefined;
    const { checks } = setUp(() => new Promise((resolve) => (finish = () => resolve([]))));
    const running = refresh(checks, OPENAI);
    await jest.advanceTimersByTimeAsync(1);
    checks.forget('openai');
    finish();
    await running;
    expect(checks.last(OPENAI)).toBeUndefined();
  });
});
