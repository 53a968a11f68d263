import { Injectable } from '@nestjs/common';
import { allowsModel } from '../auth/index';
import { type CatalogModel, CatalogService, ModelNotFoundError, PriceBook } from '../catalog/index';
import type { Principal, ProviderId } from '../common/index';
import { SCRIPTS_FILE } from '../config/index';
import { ProviderRegistry } from '../providers/index';
import type { AgentDefinition, AgentMode } from './agent';
import { isRouted } from './agent-models';

export interface Availability {
  readonly isAvailable: boolean;
  /** Why not, and what would help. */
  readonly unavailableReason?: string;
}

type Way = Exclude<AgentMode, 'interactive'>;

const AVAILABLE: Availability = Object.freeze({ isAvailable: true });

/** Is there anybody who can answer for an agent: a model that can be called, a script, a person? Asks no database. */
@Injectable()
export class AgentAvailability {
  constructor(
    private readonly providers: ProviderRegistry,
    private readonly catalog: CatalogService,
    private readonly prices: PriceBook,
  ) {}

  /** As it is now for this caller; what was found out about one agent is kept for the next. */
  to(caller: Pick<Principal, 'userId' | 'allowedModels'>): CallerAvailability {
    return new CallerAvailability(caller, this.providers, this.catalog, this.prices);
  }
}

export class CallerAvailability {
  private readonly reachable = new Map<string, boolean>();
  private readonly routed = new Map<Way, boolean>();

  /** @param caller whose own credentials count before the installation's, and whose key may allow some models only */
  constructor(
    private readonly caller: Pick<Principal, 'userId' | 'allowedModels'>,
    private readonly providers: ProviderRegistry,
    private readonly catalog: CatalogService,
    private readonly prices: PriceBook,
  ) {}

  of({
    mode,
    model,
    fallbackModels,
  }: Pick<AgentDefinition, 'mode' | 'model' | 'fallbackModels'>): Availability {
    if (mode === 'interactive') return AVAILABLE;
    const reason = this.whyNot({ model, fallbackModels }, mode);
    return reason === undefined ? AVAILABLE : { isAvailable: false, unavailableReason: reason };
  }

  /** A model that nobody knows is refused wherever it stands; otherwise one that can be called is enough. */
  private whyNot(
    { model, fallbackModels }: Pick<AgentDefinition, 'model' | 'fallbackModels'>,
    way: Way,
  ): string | undefined {
    const names = isRouted(model) ? fallbackModels : [model, ...fallbackModels];
    const resolved = names.map((name) => this.resolve(name));
    const unknown = resolved.find((found) => typeof found === 'string');
    if (unknown !== undefined) return unknown;
    if (isRouted(model)) return this.canRoute(way) ? undefined : this.noRoute(way);
    const sellers = resolved.filter((found) => typeof found !== 'string').flat();
    const [preferred] = sellers;
    if (!preferred || sellers.some((seller) => this.isCallable(seller, way))) return undefined;
    return this.whyNotCalled(preferred, way);
  }

  /** Those who sell the model, or why there are none. */
  private resolve(name: string): readonly CatalogModel[] | string {
    try {
      return this.catalog.resolve(name).models;
    } catch (error) {
      if (error instanceof ModelNotFoundError) return error.message;
      throw error;
    }
  }

  private canRoute(way: Way): boolean {
    const known = this.routed.get(way);
    if (known !== undefined) return known;
    const can = this.catalog.ofKind('chat').some((model) => this.isCallable(model, way));
    this.routed.set(way, can);
    return can;
  }

  private isCallable(model: CatalogModel, way: Way): boolean {
    const { allowedModels } = this.caller;
    if (model.status === 'retired' || !this.isReachable(model.provider, way) || !this.isBillable(model)) {
      return false;
    }
    return allowedModels === undefined || allowsModel(allowedModels, model);
  }

  private isBillable({ id, allowUnknownPrice }: CatalogModel): boolean {
    return allowUnknownPrice === true || this.prices.current(id) !== undefined;
  }

  private isReachable(provider: ProviderId, way: Way): boolean {
    const key = `${way} ${provider}`;
    const known = this.reachable.get(key);
    if (known !== undefined) return known;
    const { userId: ownerId } = this.caller;
    const useDirect = { direct: 'only', script: false, hybrid: true } as const;
    const can = this.providers.isAvailable(provider, ownerId, { kind: 'chat', useDirect: useDirect[way] });
    this.reachable.set(key, can);
    return can;
  }

  private noRoute(way: Way): string {
    if (this.caller.allowedModels) return 'None of the models that this API key allows can be called';
    if (way === 'script') return `${SCRIPTS_FILE} names no command that chats (docs/scripts.md)`;
    if (way === 'direct' && this.canRoute('hybrid')) {
      return 'Models can only be called by scripts: mode hybrid or script does that';
    }
    return (
      'No model can be called: set the key of a provider (GET /api/v1/providers names the variables), or store a ' +
      'credential of your own (POST /api/v1/credentials)'
    );
  }

  private whyNotCalled(model: CatalogModel, way: Way): string {
    const { id, provider, status, successor } = model;
    const { userId, allowedModels } = this.caller;
    if (allowedModels && !allowsModel(allowedModels, model)) return `This API key may not use ${id}`;
    if (status === 'retired') return `${id} is retired${successor ? `; use ${successor}` : ''}`;
    if (this.isReachable(provider, way)) return `${id} has no known price: an administrator sets one`;
    if (way === 'script') {
      return `${SCRIPTS_FILE} names no command for ${provider} that chats (docs/scripts.md)`;
    }
    const state = this.providers.availability(userId).find((known) => known.provider === provider);
    if (state?.state === 'available') {
      return `${provider} can only be called by its script: mode hybrid or script does that`;
    }
    const isOwnWanted = state?.reason === 'key_missing' && this.providers.takesOwnCredential(provider);
    const own = isOwnWanted ? ', or store a credential of your own (POST /api/v1/credentials)' : '';
    return `The provider ${provider} of ${id} cannot be called: ${state?.detail ?? 'it is unknown'}${own}`;
  }
}
