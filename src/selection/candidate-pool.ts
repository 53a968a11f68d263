import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { type CatalogModel, CatalogService, type PriceVersion } from '../catalog/index';
import type { PricedModel } from '../scoring/index';
import { mayUse } from './allowed-models';
import { filtered, fitsPrompt, fitsWithAnswer, missingCapability } from './constraints';
import type { FilteredModel, FilterReason } from './execution-plan';
import { type Advice, Guide } from './guide';
import type { RoutingInputs } from './routing-inputs';

/** Models sorted into those that may answer and those that may not. */
export interface Sifted {
  readonly passed: readonly PricedModel[];
  readonly filtered: readonly FilteredModel[];
}

/** What the hard constraints look at. */
export type Asking = Pick<RoutingInputs, 'profile' | 'allowedModels' | 'providers' | 'prices'>;

type Objection = (model: CatalogModel, price: PriceVersion | undefined) => FilterReason | undefined;

/** Finds the models that may answer a request at all: hard constraints first, then what the guide blocks. */
@Injectable()
export class CandidatePool implements OnModuleInit {
  private readonly logger = new Logger(CandidatePool.name);

  constructor(
    private readonly catalog: CatalogService,
    private readonly guide: Guide,
  ) {}

  onModuleInit(): void {
    const unknown = this.guide.unknownNames(this.catalog.list());
    if (unknown.length > 0) {
      this.logger.warn(`routing/guide.yaml names models that are not in the catalog: ${unknown.join(', ')}`);
    }
  }

  /** For routing: all chat models of the catalog. Retired and blocked ones are left out. */
  routed(asking: Asking): Sifted {
    const advice = this.guide.advice(asking.profile.taskType);
    return sift(this.catalog.ofKind('chat'), asking, advice, (model, price) => {
      const reason = whyNotServed(model, asking, price);
      return reason ?? (advice.isBlocked(model) ? 'blocked_by_guide' : undefined);
    });
  }

  /** For models that the request names: the guide does not block them, and retired ones are forwarded. */
  named(models: readonly CatalogModel[], asking: Asking): Sifted {
    const advice = this.guide.advice(asking.profile.taskType);
    return sift(models, asking, advice, (model, price) =>
      whyNot(model, asking, { price, isFitting: fitsPrompt(model, asking.profile) }),
    );
  }

  /** For models that an administrator chose: all hard constraints hold, but the guide does not block them. */
  chosen(models: readonly CatalogModel[], asking: Asking): Sifted {
    return sift(models, asking, this.guide.advice(asking.profile.taskType), (model, price) =>
      whyNotServed(model, asking, price),
    );
  }
}

function sift(models: readonly CatalogModel[], asking: Asking, advice: Advice, objection: Objection): Sifted {
  const passed: PricedModel[] = [];
  const left: FilteredModel[] = [];
  for (const model of models) {
    const price = asking.prices.current(model.id);
    const reason = mayUse(asking, model) ? objection(model, price) : 'not_allowed';
    if (reason) left.push(filtered(model, reason, asking.profile));
    else passed.push({ model, price, prior: advice.priorOf(model) });
  }
  return { passed, filtered: left };
}

function whyNotServed(
  model: CatalogModel,
  asking: Asking,
  price: PriceVersion | undefined,
): FilterReason | undefined {
  if (model.status === 'retired') return 'retired';
  return whyNot(model, asking, { price, isFitting: fitsWithAnswer(model, asking.profile) });
}

function whyNot(
  model: CatalogModel,
  { profile, providers }: Asking,
  { price, isFitting }: { readonly price: PriceVersion | undefined; readonly isFitting: boolean },
): FilterReason | undefined {
  if (!providers.includes(model.provider)) return 'unavailable';
  if (!isFitting) return 'context_window';
  const missing = missingCapability(model, profile);
  if (missing) return missing;
  return price === undefined && model.allowUnknownPrice !== true ? 'price_unknown' : undefined;
}
