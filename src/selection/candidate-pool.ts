import { Injectable } from '@nestjs/common';
import type { TaskProfile } from '../analysis/index';
import { type CatalogModel, CatalogService, PriceBook } from '../catalog/index';
import type { Principal } from '../common/index';
import type { PricedModel } from '../scoring/index';
import { mayUse } from './allowed-models';
import { filtered, fitsPrompt, fitsWithAnswer, missingCapability } from './constraints';
import type { FilteredModel, FilterReason } from './execution-plan';
import { type Advice, Guide } from './guide';
import { ModelAvailability } from './model-availability';

/** Models sorted into those that may answer and those that may not. */
export interface Sifted {
  readonly passed: readonly PricedModel[];
  readonly filtered: readonly FilteredModel[];
}

/** Who asks, and what. */
export interface Asking {
  readonly principal: Principal;
  readonly profile: TaskProfile;
  /** False: only by a script. */
  readonly useDirect?: boolean;
}

/** Finds the models that may answer a request at all: hard constraints first, then what the guide blocks. */
@Injectable()
export class CandidatePool {
  constructor(
    private readonly catalog: CatalogService,
    private readonly prices: PriceBook,
    private readonly availability: ModelAvailability,
    private readonly guide: Guide,
  ) {}

  /** For routing: all chat models of the catalog. Retired and blocked ones are left out. */
  routed(asking: Asking): Sifted {
    const advice = this.guide.advice(asking.profile.taskType);
    return this.sift(this.catalog.ofKind('chat'), asking, advice, (model) =>
      this.whyNotRouted(model, asking, advice),
    );
  }

  /** For models that the request names: the guide does not block them, and retired ones are forwarded. */
  named(models: readonly CatalogModel[], asking: Asking): Sifted {
    const { profile } = asking;
    const advice = this.guide.advice(profile.taskType);
    return this.sift(models, asking, advice, (model) =>
      this.whyNot(model, asking, fitsPrompt(model, profile)),
    );
  }

  private sift(
    models: readonly CatalogModel[],
    { principal, profile }: Asking,
    advice: Advice,
    whyNot: (model: CatalogModel) => FilterReason | undefined,
  ): Sifted {
    const passed: PricedModel[] = [];
    const left: FilteredModel[] = [];
    for (const model of models) {
      const reason = mayUse(principal, model) ? whyNot(model) : 'not_allowed';
      if (reason) left.push(filtered(model, reason, profile));
      else passed.push({ model, price: this.prices.current(model.id), prior: advice.priorOf(model) });
    }
    return { passed, filtered: left };
  }

  private whyNotRouted(model: CatalogModel, asking: Asking, advice: Advice): FilterReason | undefined {
    if (model.status === 'retired') return 'retired';
    const reason = this.whyNot(model, asking, fitsWithAnswer(model, asking.profile));
    return reason ?? (advice.isBlocked(model) ? 'blocked_by_guide' : undefined);
  }

  private whyNot(
    model: CatalogModel,
    { principal, profile, useDirect }: Asking,
    isFitting: boolean,
  ): FilterReason | undefined {
    if (!this.availability.isProviderAvailable(model, principal.userId, useDirect)) return 'unavailable';
    if (!isFitting) return 'context_window';
    const missing = missingCapability(model, profile);
    if (missing) return missing;
    return this.availability.isBillable(model) ? undefined : 'price_unknown';
  }
}
