import { Injectable } from '@nestjs/common';
import type { ProviderId } from '../../common/index';
import type { FailureKind } from './failure-verdict';
import { ModelStatistics, type RecentFigures } from './model-statistics';
import { monotonicNow } from './monotonic-now';

/** What a booked attempt tells. */
export interface AttemptMeasures {
  readonly provider: ProviderId;
  readonly model: string;
  readonly latencyMs: number;
  readonly firstTokenMs?: number;
}

const MAX_MODELS = 2000;

/** Passive statistics of this process, of its real traffic only. */
@Injectable()
export class AttemptStatistics {
  private readonly models = new Map<
    string,
    { readonly provider: ProviderId; readonly own: ModelStatistics }
  >();

  /** @param failure undefined: it answered */
  record({ provider, model, latencyMs, firstTokenMs }: AttemptMeasures, failure?: FailureKind): void {
    const known = this.models.get(model) ?? this.add(provider, model);
    known.own.record(monotonicNow(), { failure, latencyMs, firstTokenMs });
  }

  /** By catalog id, of the models that were ever called. */
  recent(provider: ProviderId): ReadonlyMap<string, RecentFigures> {
    const now = monotonicNow();
    const found = new Map<string, RecentFigures>();
    for (const [model, { provider: of, own }] of this.models) {
      if (of === provider) found.set(model, own.recent(now));
    }
    return found;
  }

  forget(provider: ProviderId): void {
    for (const [model, { provider: of }] of this.models) if (of === provider) this.models.delete(model);
  }

  private add(provider: ProviderId, model: string): { own: ModelStatistics } {
    if (this.models.size >= MAX_MODELS) {
      const [oldest] = this.models.keys();
      if (oldest !== undefined) this.models.delete(oldest);
    }
    const added = { provider, own: new ModelStatistics() };
    this.models.set(model, added);
    return added;
  }
}
