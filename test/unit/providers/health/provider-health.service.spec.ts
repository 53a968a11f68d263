import type { RequestContext } from '../../../../src/common/index';
import { AttemptStatistics } from '../../../../src/providers/health/attempt-statistics';
import type { Capacities } from '../../../../src/providers/capacity/capacities.service';
import type { Circuits } from '../../../../src/providers/health/circuits';
import { ProviderChecks } from '../../../../src/providers/health/provider-checks';
import { ProviderHealth } from '../../../../src/providers/health/provider-health.service';
import type { ProviderRegistry } from '../../../../src/providers/index';

const STATES = [{ provider: 'openai', state: 'available', variables: ['OPENAI_API_KEY'], detail: 'Ready' }];

/** Of a provider that never answers. */
function setUp() {
  const listModels = jest.fn(() => new Promise<never>(() => undefined));
  const registry = {
    adapter: () => Promise.resolve({ listModels }),
    availability: () => STATES,
    isAvailable: () => true,
    ownCredential: () => undefined,
    resolveName: () => 'openai',
  } as unknown as ProviderRegistry;
  const health = new ProviderHealth(
    registry,
    new ProviderChecks(registry),
    { list: () => [] } as unknown as Circuits,
    new AttemptStatistics(),
    { usage: () => Promise.resolve([]) } as unknown as Capacities,
  );
  const caller = new AbortController();
  const ctx = { principal: { userId: 'u1' }, signal: caller.signal } as unknown as RequestContext;
  return { health, ctx, caller, listModels };
}

describe(ProviderHealth.name, () => {
  const timers = new Map<number, AbortController>();
  beforeEach(() => {
    timers.clear();
    jest.spyOn(AbortSignal, 'timeout').mockImplementation((milliseconds) => {
      const timer = new AbortController();
      timers.set(milliseconds, timer);
      return timer.signal;
    });
  });
  afterEach(() => jest.restoreAllMocks());

  const asks = {
    list: async (health: ProviderHealth, ctx: RequestContext) => (await health.list(ctx)).data[0],
    get: (health: ProviderHealth, ctx: RequestContext) => health.get(ctx, 'openai'),
    health: (health: ProviderHealth, ctx: RequestContext) => health.health(ctx, 'openai'),
  };

  it.each(['list', 'get', 'health'] as const)(
    '%s waits two seconds for a check and no longer',
    async (name) => {
      const { health, ctx, listModels } = setUp();
      const asked = asks[name](health, ctx);
      timers.get(2000)?.abort();
      expect(await asked).toMatchObject({ provider: 'openai', state: 'unknown', reason: 'not_checked' });
      expect(listModels).toHaveBeenCalledTimes(1);
    },
  );

  it.each(['list', 'get', 'health'] as const)('%s does not outlast its caller', async (name) => {
    const { health, ctx, caller } = setUp();
    const asked = asks[name](health, ctx);
    caller.abort();
    expect(await asked).toMatchObject({ state: 'unknown' });
  });
});
