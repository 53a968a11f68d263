import { Injectable } from '@nestjs/common';
import { type CatalogModel, kindOf, PriceBook } from '../catalog/index';
import type { DirectUse, ProviderId } from '../common/index';
import { type ProviderAvailability, ProviderRegistry } from '../providers/index';

/** What can be called at this moment: by everybody, or by the user (UUID) whose own credentials count too. */
@Injectable()
export class ModelAvailability {
  /** By the states they were found in, which are other objects when something changes. */
  private readonly known = new WeakMap<readonly ProviderAvailability[], readonly ProviderId[]>();
  /** The same for chatting: any way, by script only, directly only. */
  private readonly chatting = [
    new WeakMap<readonly ProviderAvailability[], readonly ProviderId[]>(),
    new WeakMap<readonly ProviderAvailability[], readonly ProviderId[]>(),
    new WeakMap<readonly ProviderAvailability[], readonly ProviderId[]>(),
  ] as const;

  constructor(
    private readonly registry: ProviderRegistry,
    private readonly prices: PriceBook,
  ) {}

  /** Would a request that names this model be sent? Retired ones are not counted: their provider would refuse. */
  isCallable(model: CatalogModel, ownerId?: string): boolean {
    return model.status !== 'retired' && this.isProviderAvailable(model, ownerId) && this.isBillable(model);
  }

  isProviderAvailable(model: CatalogModel, ownerId?: string, useDirect?: DirectUse): boolean {
    return this.registry.isAvailable(model.provider, ownerId, { useDirect, kind: kindOf(model) });
  }

  /** Those of the candidates' providers that a script would call; undefined: none. */
  scripted(
    candidates: readonly { readonly model: CatalogModel }[],
    ownerId: string,
    useDirect: DirectUse | undefined,
  ): readonly ProviderId[] | undefined {
    const byScript = candidates
      .filter(({ model }) =>
        this.registry.isByScript(model.provider, { ownerId, useDirect, kind: kindOf(model) }),
      )
      .map(({ model }) => model.provider);
    return byScript.length > 0 ? [...new Set(byScript)] : undefined;
  }

  /** Is its price known, or does an administrator let it be called without? */
  isBillable(model: CatalogModel): boolean {
    return model.allowUnknownPrice === true || this.prices.current(model.id) !== undefined;
  }

  /** What is known of one provider, for messages. */
  stateOf(provider: ProviderId, ownerId?: string): ProviderAvailability | undefined {
    return this.registry.availability(ownerId).find((state) => state.provider === provider);
  }

  /** What is known of every provider. The same array until something changes. */
  states(ownerId?: string): readonly ProviderAvailability[] {
    return this.registry.availability(ownerId);
  }

  /** The providers that a chat request can be sent to. The same array until that changes. */
  chatProviders(ownerId: string, useDirect?: DirectUse): readonly ProviderId[] {
    const states = this.registry.availability(ownerId);
    const known = this.chatting[useDirect === 'only' ? 2 : useDirect === false ? 1 : 0];
    const before = known.get(states);
    if (before) return before;
    const able = states
      .map(({ provider }) => provider)
      .filter((provider) => this.registry.isAvailable(provider, ownerId, { useDirect, kind: 'chat' }));
    known.set(states, Object.freeze(able));
    return able;
  }

  unavailable(ownerId?: string): readonly ProviderAvailability[] {
    return this.registry.availability(ownerId).filter((state) => state.state === 'unavailable');
  }

  /** The providers that can be called. The same array until that changes. */
  providers(ownerId?: string): readonly ProviderId[] {
    const states = this.registry.availability(ownerId);
    const known = this.known.get(states);
    if (known) return known;
    const available = states.filter(({ state }) => state === 'available').map(({ provider }) => provider);
    this.known.set(states, Object.freeze(available));
    return available;
  }
}
