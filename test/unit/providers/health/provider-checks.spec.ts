import type { ProviderId } from '../../../../src/common/index';
import { NotFoundError } from '../../../../src/errors/index';
import { ProviderChecks } from '../../../../src/providers/health/provider-checks';
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
    await Promise.all([checks.refresh(OPENAI), checks.refresh(OPENAI)]);
    await checks.refresh(OPENAI);
    expect(list).toHaveBeenCalledTimes(1);
    expect(checks.last(OPENAI)).toMatchObject({ outcome: 'ok' });
    await jest.advanceTimersByTimeAsync(60_001);
    await checks.refresh(OPENAI);
    expect(list).toHaveBeenCalledTimes(2);
  });

  it('asks four at once', async () => {
    const finish: (() => void)[] = [];
    const { checks } = setUp(() => new Promise((resolve) => finish.push(() => resolve([]))));
    const providers = ['openai', 'anthropic', 'google', 'xai', 'azure', 'dial'] as const;
    const all = Promise.all(providers.map((provider) => checks.refresh({ provider })));
    await jest.advanceTimersByTimeAsync(1);
    expect(finish).toHaveLength(4);
    finish[0]?.();
    await jest.advanceTimersByTimeAsync(1);
    expect(finish).toHaveLength(5);
    for (let at = 1; at < 6; at++) {
      finish[at]?.();
      await jest.advanceTimersByTimeAsync(1);
    }
    await all;
    expect(checks.last({ provider: 'dial' })?.outcome).toBe('ok');
  });

  it('keeps the fault and nothing of what the upstream said', async () => {
    const { checks } = setUp(() =>
      Promise.reject(
        new ProviderError('sk-secret refused', { provider: 'openai', fault: 'rejected', mayBeBilled: false }),
      ),
    );
    await checks.refresh(OPENAI);
    expect(checks.last(OPENAI)).toMatchObject({ outcome: 'failed', fault: 'rejected' });
    expect(JSON.stringify(checks.last(OPENAI))).not.toContain('sk-secret');
  });

  it('cannot check a provider without a list call', async () => {
    const { checks } = setUp();
    await checks.refresh(OPENAI);
    expect(checks.last(OPENAI)?.outcome).toBe('impossible');
  });

  it('stops asking at shutdown, also an adapter that does not heed the signal', async () => {
    const { checks } = setUp(() => new Promise(() => undefined));
    const refreshed = checks.refresh(OPENAI);
    await jest.advanceTimersByTimeAsync(1);
    checks.onApplicationShutdown();
    await refreshed;
    expect(checks.last(OPENAI)).toMatchObject({ outcome: 'failed', fault: 'timeout' });
  });

  it('checks an owner’s credential apart, with the adapter that uses it', async () => {
    const { checks, adapter, open } = setUp(() => Promise.resolve([]));
    const own = { provider: 'openai', own: { credentialId: 'c1', ownerId: 'u1' } } as const;
    await checks.refresh(own);
    expect([adapter.mock.calls, open.mock.calls]).toEqual([[], [['openai', { ownerId: 'u1' }]]]);
    expect(checks.last(OPENAI)).toBeUndefined();
    open.mockRejectedValue(new NotFoundError('cannot be opened'));
    checks.forget('openai');
    await checks.refresh(own);
    expect(checks.last(own)).toMatchObject({ outcome: 'failed', fault: 'rejected' });
  });

  it('does not keep a check that was running when everything was forgotten', async () => {
    let finish = (): void => undefined;
    const { checks } = setUp(() => new Promise((resolve) => (finish = () => resolve([]))));
    const running = checks.refresh(OPENAI);
    await jest.advanceTimersByTimeAsync(1);
    checks.forget('openai');
    finish();
    await running;
    expect(checks.last(OPENAI)).toBeUndefined();
  });
});
