import { Injectable } from '@nestjs/common';
import { type CatalogModel, PriceBook } from '../catalog/index';
import type { ProviderId } from '../common/index';
import { type ProviderAvailability, ProviderRegistry } from '../providers/index';

/** What can be called at this moment. */
@Injectable()
export class ModelAvailability {
  private known: { states?: readonly ProviderAvailability[]; providers: readonly ProviderId[] } = {
    providers: [],
  };

  constructor(
    private readonly registry: ProviderRegistry,
    private readonly prices: PriceBook,
  ) {}

  /** Would a request that names this model be sent? Retired ones are not counted: their provider would refuse. */
  isCallable(model: CatalogModel): boolean {
    return model.status !== 'retired' && this.isProviderAvailable(model) && this.isBillable(model);
  }

  isProviderAvailable({ provider }: CatalogModel): boolean {
    return this.registry.isAvailable(provider);
  }

  /** Is its price known, or does an administrator let it be called without? */
  isBillable(model: CatalogModel): boolean {
    return model.allowUnknownPrice === true || this.prices.current(model.id) !== undefined;
  }

  /** What is known of one provider, for messages. */
  stateOf(provider: ProviderId): ProviderAvailability | undefined {
    return this.registry.availability().find((state) => state.provider === provider);
  }

  unavailable(): readonly ProviderAvailability[] {
    return this.registry.availability().filter((state) => state.state === 'unavailable');
  }

  /** The providers that can be called. The same array until that changes. */
  providers(): readonly ProviderId[] {
    const states = this.registry.availability();
    if (this.known.states !== states) {
      const available = states.filter(({ state }) => state === 'available').map(({ provider }) => provider);
      this.known = { states, providers: Object.freeze(available) };
    }
    return this.known.providers;
  }
}
