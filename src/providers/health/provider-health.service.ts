import { Injectable } from '@nestjs/common';
import type { ProviderId, RequestContext } from '../../common/index';
import { Capacities } from '../capacity/capacities.service';
import type { ProviderListDto, ProviderResponseDto } from '../dto/provider.response.dto';
import type { ModelHealthDto, ProviderHealthDto, TrafficDto } from '../dto/provider-health.response.dto';
import { ProviderRegistry } from '../provider.registry';
import { AttemptStatistics } from './attempt-statistics';
import { type Circuit, Circuits } from './circuits';
import { percentile, type RecentFigures, together, WINDOW_MINUTES } from './model-statistics';
import { monotonicNow } from './monotonic-now';
import { type CheckTarget, ProviderChecks } from './provider-checks';
import { stateOf } from './provider-state';

/** How long anybody waits for checks; what is not known by then is `unknown`, and known to the next who asks. */
const PATIENCE_MS = 2_000;

/** A provider as one caller uses it. */
interface View extends CheckTarget {
  readonly userId: string;
}

/** Providers' health as REST shows it. The figures are those of this process. */
@Injectable()
export class ProviderHealth {
  constructor(
    private readonly registry: ProviderRegistry,
    private readonly checks: ProviderChecks,
    private readonly circuits: Circuits,
    private readonly statistics: AttemptStatistics,
    private readonly capacities: Capacities,
  ) {}

  /** As the caller would use them: with a credential of their own where they have one. */
  async list(ctx: RequestContext): Promise<ProviderListDto> {
    const { userId } = ctx.principal;
    const views = this.registry.availability(userId).map(({ provider }) => this.view(provider, userId));
    await this.refresh(ctx, views);
    return { data: views.map((view) => this.summary(view)), nextCursor: null };
  }

  /** @throws UnknownProviderError */
  async get(ctx: RequestContext, name: string): Promise<ProviderResponseDto> {
    const view = this.view(this.registry.resolveName(name), ctx.principal.userId);
    await this.refresh(ctx, [view]);
    return this.summary(view);
  }

  /** @throws UnknownProviderError */
  async health(ctx: RequestContext, name: string): Promise<ProviderHealthDto> {
    const view = this.view(this.registry.resolveName(name), ctx.principal.userId);
    await this.refresh(ctx, [view]);
    const figures = view.own ? new Map<string, RecentFigures>() : this.statistics.recent(view.provider);
    return {
      ...this.summary(view),
      latencyMs: this.checks.last(view)?.latencyMs ?? null,
      models: modelsOf(figures, this.circuits.list(view.provider, view.own?.credentialId)),
      capacities: await this.capacities.usage(view.provider),
      traffic: trafficOf(together([...this.statistics.recent(view.provider).values()])),
    };
  }

  /** Closes its breakers and forgets its figures and its last checks, in this process. */
  forget(provider: ProviderId): void {
    this.circuits.forget(provider);
    this.statistics.forget(provider);
    this.checks.forget(provider);
  }

  private view(provider: ProviderId, userId: string): View {
    const credentialId = this.registry.ownCredential(provider, userId);
    return { provider, userId, own: credentialId ? { credentialId, ownerId: userId } : undefined };
  }

  /** All at once, and no longer than the caller is there. */
  private async refresh({ signal }: RequestContext, views: readonly View[]): Promise<void> {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    const known = views.filter(({ provider, userId }) => this.registry.isAvailable(provider, userId));
    await Promise.all(known.map((view) => this.checks.refresh(view, patience)));
  }

  private summary(view: View): Pick<ProviderResponseDto, keyof ProviderResponseDto> {
    const { provider, userId, own } = view;
    const availability = this.registry.availability(userId).find((one) => one.provider === provider);
    if (!availability) throw new Error(`Unknown provider ${provider}`);
    const check = this.checks.last(view);
    const { state, reason, detail } = stateOf({
      availability,
      check,
      traffic: together(own ? [] : [...this.statistics.recent(provider).values()]),
      circuits: this.circuits.list(provider, own?.credentialId),
      hasOwn: own !== undefined,
    });
    const checkedAt = check ? iso(check.at) : null;
    const { variables, executionMode = null } = availability;
    return { provider, state, reason, variables, detail, executionMode, checkedAt };
  }
}

/** Every model that was called or failed lately, by its id. */
function modelsOf(
  figures: ReadonlyMap<string, RecentFigures>,
  circuits: readonly Circuit[],
): readonly ModelHealthDto[] {
  const breakers = new Map(circuits.map(({ model, breaker }) => [model, breaker]));
  const ids = new Set([...figures.keys(), ...breakers.keys()].filter((id) => id !== undefined));
  return [...ids].toSorted().map((model) => {
    const breaker = breakers.get(model);
    const recent = figures.get(model);
    const isOpen = breaker?.state === 'open';
    const isDue = isOpen && breaker.retryAt <= monotonicNow();
    return {
      model,
      circuit: isDue ? 'half_open' : (breaker?.state ?? 'closed'),
      reason: breaker?.reason ?? null,
      failuresInARow: breaker?.failuresInARow ?? 0,
      retryAt: isOpen ? iso(breaker.retryAt) : null,
      requests: recent?.requests ?? 0,
      failures: recent?.failures ?? {},
    };
  });
}

function trafficOf(recent: RecentFigures): TrafficDto {
  return {
    windowMinutes: WINDOW_MINUTES,
    requests: recent.requests,
    cancelled: recent.cancelled,
    failures: recent.failures,
    latencyMs: percentiles(recent.latenciesMs),
    firstTokenMs: percentiles(recent.firstTokensMs),
    lastError: recent.lastFailure ? { kind: recent.lastFailure.kind, at: iso(recent.lastFailure.at) } : null,
  };
}

function percentiles(values: readonly number[]): { p50: number | null; p95: number | null } {
  return { p50: percentile(values, 50) ?? null, p95: percentile(values, 95) ?? null };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
