import type { Capacity, CatalogService } from '../../../../src/catalog/index';
import type { RequestContext } from '../../../../src/common/index';
import { type AppLogger, Metrics } from '../../../../src/observability/index';
import { Capacities } from '../../../../src/providers/capacity/capacities.service';
import type { CapacityOutcome, CapacityQueue } from '../../../../src/providers/capacity/capacity-queue';
import type { CapacityStore } from '../../../../src/providers/capacity/capacity-store';
import { catalogModel } from '../../../support/contract/catalog-model';

const CAPACITY: Capacity = { concurrency: 1, queueMs: 5000, queueLength: 10 };
const model = { ...catalogModel(), capacity: CAPACITY };
const REFUSAL = { scope: model.id, kind: 'concurrency', waitMs: null } as const;

function capacitiesWith(outcome: CapacityOutcome, usage = () => Promise.resolve({})) {
  const ask = jest.fn(() => Promise.resolve(outcome));
  const metrics = new Metrics();
  const capacities = new Capacities(
    {
      providerCapacity: () => undefined,
      provider: () => [model],
    } as Partial<CatalogService> as CatalogService,
    { ask, waitingFor: () => 4 } as Partial<CapacityQueue> as CapacityQueue,
    { usage } as Partial<CapacityStore> as CapacityStore,
    metrics,
    { event: jest.fn() } as Partial<AppLogger> as AppLogger,
  );
  const enter = (more: Partial<RequestContext> = {}, prompt = 1) =>
    capacities.enter({ signal: new AbortController().signal, ...more } as RequestContext, {
      model,
      tokens: { prompt, completion: 1 },
      hasFallback: false,
    });
  return { capacities, ask, enter, metrics };
}

describe(Capacities.name, () => {
  it.each([
    ['patience', { reason: 'patience', refusal: REFUSAL }, 'UPSTREAM_BUSY', 1000],
    ['time', { reason: 'patience', refusal: { ...REFUSAL, waitMs: 7000 } }, 'UPSTREAM_BUSY', 7000],
    ['the queue', { reason: 'queue_full', refusal: REFUSAL }, 'UPSTREAM_BUSY', 1000],
    ['the database', { reason: 'unknown', cause: new Error('down') }, 'SERVICE_UNAVAILABLE', 1000],
  ] as const)('falls over with 503 when %s gives no room', async (_, givenUp, code, retryAfterMs) => {
    const { enter, metrics } = capacitiesWith({ givenUp });
    await expect(enter()).rejects.toMatchObject({ code, status: 503, failure: 'fallover', retryAfterMs });
    expect(await metrics.registry.metrics()).toMatch(/lattice_capacity_refusals_total\{.*\} 1/);
    expect(await metrics.registry.metrics()).toMatch(/lattice_capacity_queue\{.*\} 0/);
  });

  it('ends with the reason of the caller’s own signal', async () => {
    const cause = new Error('The client went away');
    await expect(capacitiesWith({ givenUp: { reason: 'aborted', cause } }).enter()).rejects.toBe(cause);
  });

  it('waits no longer than until the deadline', async () => {
    const slot = { waitedMs: 0, end: jest.fn(), giveBack: jest.fn() };
    const { enter, ask } = capacitiesWith({ slot });
    expect(await enter()).toBe(slot);
    await enter({ deadlineAt: Date.now() - 1 });
    const patience = (ask.mock.calls as unknown as [unknown, { patienceMs: number }][]).map(
      ([, own]) => own.patienceMs,
    );
    expect(patience).toEqual([5000, 0]);
  });

  it('shows the limits also while nobody knows what is in use', async () => {
    const { capacities } = capacitiesWith({ givenUp: { reason: 'unknown' } }, () =>
      Promise.reject(new Error('down')),
    );
    expect(await capacities.usage('openai')).toEqual([
      {
        model: model.id,
        requestsPerMinute: null,
        tokensPerMinute: null,
        concurrency: { limit: 1, used: null },
        waiting: 4,
      },
    ]);
  });
});
