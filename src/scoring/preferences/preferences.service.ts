import { Injectable } from '@nestjs/common';
import type { FactorWeights, Strategy } from '../factor-scores';

/** How an owner wants to be routed where a request does not say. */
export interface RoutingPreferences {
  /** In place of the installation's weights. */
  readonly strategies: Readonly<Partial<Record<Strategy, FactorWeights>>>;
  /** Quality target of requests that name none, 0..1: the cheapest model expected to be that good beside the best. */
  readonly quality?: number;
}

/** Preferences of owners, held in memory. */
@Injectable()
export class Preferences {
  private readonly known = new Map<string, RoutingPreferences>();

  /** @param ownerId UUID */
  of(ownerId: string): RoutingPreferences | undefined {
    return this.known.get(ownerId);
  }
}
