import type { ProviderId } from '../common/index';
import type { AppConfig } from '../config/index';
import {
  availabilityOfAll,
  type KnownAvailability,
  type Observed,
  type ProviderAvailability,
} from './availability';
import type { OwnCredentials } from './credentials/credential';

/** What this process has observed of the providers, and what follows from it for everybody and for each owner. */
export class KnownProviders {
  private readonly packageMissing = new Set<ProviderId>();
  private isLocalUp = false;
  private known: KnownAvailability;
  /** By the owner's credentials, which are another object whenever they change. */
  private knownToOwners = new WeakMap<OwnCredentials, KnownAvailability>();

  /** @param onChange told what has become available to everybody, or no longer is. */
  constructor(
    private readonly config: AppConfig,
    private readonly hasAdapter: (provider: ProviderId) => boolean,
    private readonly onChange: (changed: readonly ProviderAvailability[]) => void,
  ) {
    this.known = availabilityOfAll(config, this.observed());
  }

  /** What everybody can call. */
  get toAll(): KnownAvailability {
    return this.known;
  }

  /** What the owner of these credentials can call. The same object until something changes. */
  to(own: OwnCredentials | undefined): KnownAvailability {
    if (!own) return this.known;
    const found = this.knownToOwners.get(own);
    if (found) return found;
    const known = availabilityOfAll(this.config, this.observed(own));
    this.knownToOwners.set(own, known);
    return known;
  }

  setLocalUp(isUp: boolean): void {
    this.isLocalUp = isUp;
    this.update();
  }

  /** The code of a provider cannot be loaded; until the next start it is not tried again. */
  setPackageMissing(provider: ProviderId): void {
    this.packageMissing.add(provider);
    this.update();
  }

  private update(): void {
    const before = this.known.available;
    const known = availabilityOfAll(this.config, this.observed());
    this.known = known;
    this.knownToOwners = new WeakMap();
    this.onChange(
      known.states.filter(({ provider }) => before.has(provider) !== known.available.has(provider)),
    );
  }

  private observed(own?: OwnCredentials): Observed {
    const { hasAdapter, isLocalUp, packageMissing } = this;
    return { hasAdapter, isLocalUp, packageMissing, own };
  }
}
