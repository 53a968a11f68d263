import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CatalogService } from '../catalog/index';
import type { ProviderId } from '../common/index';
import { AppConfig } from '../config/index';
import { AppLogger } from '../observability/index';
import { ADAPTER_FACTORIES, type AdapterFactories } from './adapter-factories';
import {
  hasOwn,
  isPackageMissing,
  type KnownAvailability,
  type ProviderAvailability,
  type RefusedCall,
  unavailableError,
} from './availability';
import { ScriptAdapters } from './adapters/script/script-adapters';
import type { CredentialRef } from './credentials/credential';
import { type CredentialSecret, ownSettings, takesOwnCredential } from './credentials/credential-secret';
import { OwnerAdapters } from './credentials/owner-adapters';
import { KnownProviders } from './known-providers';
import { LocalWatch } from './local-watch';
import { resolveProviderName } from './provider-names';
import {
  type ExecutionMode,
  fallbackReasonOf,
  type OpenProvider,
  type ProviderAsking,
  type WantedWork,
} from './open-provider';
import type { ProviderAdapter } from './provider.port';

/**
 * Which providers can be called now, and the one adapter of each, built at its first use. Available means: it has an
 * adapter in this version and a credential or base URL; `local` must also have listed its models, which is checked at
 * boot and every 30 s. Owners of credentials can call more than others: whatever takes an `ownerId` (UUID of the user)
 * answers for that caller, without it for everybody.
 */
@Injectable()
export class ProviderRegistry implements OnModuleInit, OnApplicationShutdown {
  private readonly adapters = new Map<ProviderId, ProviderAdapter>();
  private readonly scripts: ScriptAdapters;
  private readonly known: KnownProviders;
  private readonly local: LocalWatch;

  constructor(
    private readonly config: AppConfig,
    catalog: CatalogService,
    private readonly logger: AppLogger,
    @Inject(ADAPTER_FACTORIES) private readonly factories: AdapterFactories,
    private readonly owners: OwnerAdapters,
  ) {
    this.scripts = new ScriptAdapters(config.scripts, logger);
    this.known = new KnownProviders(
      config,
      (provider) => factories[provider] !== undefined,
      (changed) => this.announceChanges(changed),
    );
    this.local = new LocalWatch({
      isWanted: factories.local !== undefined && config.providers.local.isConfigured,
      adapter: () => this.base('local'),
      catalog,
      logger,
      tell: (isUp) => this.known.setLocalUp(isUp),
    });
  }

  async onModuleInit(): Promise<void> {
    await this.local.start();
    for (const state of this.known.toAll.states) if (state.state === 'available') this.announce(state);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }

  /** Can anything of it be called, or this kind of work by the way that is wanted? */
  isAvailable(provider: ProviderId, ownerId?: string, work?: WantedWork): boolean {
    if (!work) return this.knownTo(ownerId).available.has(provider);
    return this.modeOf(provider, { ...work, ownerId }) !== undefined;
  }

  /** Would a script carry it out? */
  isByScript(provider: ProviderId, asking: ProviderAsking): boolean {
    return this.modeOf(provider, asking) === 'script';
  }

  /** Can anything be called at all, by everybody or by the owner of a credential? */
  hasAvailable(): boolean {
    return this.known.toAll.available.size > 0 || this.owners.isAny;
  }

  /** Every provider Lattice knows, in a fixed order. The same array until something changes. */
  availability(ownerId?: string): readonly ProviderAvailability[] {
    return this.knownTo(ownerId).states;
  }

  /** Names the own credential, as it is now, that a call of this owner is made with: its failures are theirs alone. */
  ownCredential(provider: ProviderId, ownerId: string): string | undefined {
    const ref = this.ownCredentialRef(provider, ownerId);
    return ref && `${ref.id}:${ref.version}`;
  }

  /** The own credential that a call of this owner is made with. */
  ownCredentialRef(provider: ProviderId, ownerId: string): CredentialRef | undefined {
    if (!this.config.isDirectAllowed) return undefined;
    const own = this.owners.credentialsOf(ownerId);
    return own && hasOwn(provider, this.config, { own }) ? own.get(provider) : undefined;
  }

  /**
   * Whose failures a call's are: those of an own credential, or of the script where somebody asks for it though the
   * provider can be called directly; undefined: the installation's.
   */
  laneOf(provider: ProviderId, { ownerId, useDirect }: ProviderAsking): string | undefined {
    const direct = this.knownTo(ownerId).direct.get(provider);
    if (useDirect === false && direct?.state === 'available') return 'script';
    return this.ownCredential(provider, ownerId);
  }

  /** Is there an address that an owner's credential for this provider can be sent to? */
  takesOwnCredential(provider: ProviderId): boolean {
    return (
      this.factories[provider] !== undefined && takesOwnCredential(provider, this.config.providers[provider])
    );
  }

  /**
   * Understands ids and the aliases grok, gemini, claude and ollama.
   * @throws UnknownProviderError (404) listing the known ones.
   */
  resolveName(name: string): ProviderId {
    return resolveProviderName(name);
  }

  /**
   * The provider's one adapter with the installation's credential, whose connections are shared by all callers; else its
   * script.
   * @throws ProviderUnavailableError saying which variable would enable it.
   */
  async adapter(provider: ProviderId): Promise<ProviderAdapter> {
    const isByScript = this.known.toAll.available.has(provider) && !this.isDirect(provider);
    const script = this.scripts.find(provider, 'chat') ?? this.scripts.find(provider, 'embedding');
    return isByScript && script ? script : this.installed(provider);
  }

  /**
   * The provider's adapter with a credential of an owner, over the connections of its one adapter.
   * @throws ProviderUnavailableError when its code cannot be loaded.
   */
  adapterWith(provider: ProviderId, secret: CredentialSecret): ProviderAdapter {
    const base = this.base(provider);
    if (!base.withSettings) throw new Error(`The adapter of ${provider} takes no other credential`);
    return base.withSettings(ownSettings(this.config.providers[provider], secret));
  }

  /**
   * What makes one attempt for this caller. Their own credential counts before the installation's; one that cannot be
   * opened is an error, and nothing takes its place. A script stands in for a missing key or package only.
   * @throws ProviderUnavailableError saying what would enable it; CredentialUnreadableError;
   * ServiceUnavailableError when the own credential must be read and the database is away.
   */
  async open(provider: ProviderId, asking: ProviderAsking): Promise<OpenProvider> {
    const { ownerId, useDirect, kind = 'chat' } = asking;
    const script = this.scripts.find(provider, kind);
    if (useDirect === false || !this.config.isDirectAllowed) {
      if (!script || useDirect === 'only') throw this.unavailable(provider, { useDirect, kind });
      return { adapter: script, executionMode: 'script' };
    }
    try {
      return { adapter: await this.direct(provider, ownerId), executionMode: 'direct' };
    } catch (error) {
      const fallbackReason = fallbackReasonOf(error);
      if (!script || !fallbackReason || useDirect === 'only') throw error;
      return { adapter: script, executionMode: 'script', fallbackReason };
    }
  }

  /** Asks again what can be reached; never rejects. Calls that overlap share one check. */
  refresh(): Promise<void> {
    return this.local.refresh();
  }

  /** Stops the checks and closes all connections. */
  async close(): Promise<void> {
    await this.local.close();
    const adapters = [...this.adapters.values()];
    this.adapters.clear();
    await Promise.allSettled([this.scripts.close(), ...adapters.map(async (adapter) => adapter.close?.())]);
  }

  private async direct(provider: ProviderId, ownerId: string): Promise<ProviderAdapter> {
    const own = this.takesOwnCredential(provider)
      ? await this.owners.adapterOf(ownerId, provider, (secret) => this.adapterWith(provider, secret))
      : undefined;
    const adapter = own ?? this.installed(provider);
    await this.load(adapter);
    return adapter;
  }

  /** A package may be there and not what it needs itself; that shows at the first call only. */
  private async load(adapter: ProviderAdapter): Promise<void> {
    try {
      await adapter.load?.();
    } catch (error) {
      if (!(error instanceof Error) || !isPackageMissing(error.cause)) throw error;
      this.known.setPackageMissing(adapter.provider);
      throw this.unavailable(adapter.provider);
    }
  }

  private installed(provider: ProviderId): ProviderAdapter {
    if (!this.isDirect(provider)) throw this.unavailable(provider);
    return this.base(provider);
  }

  private isDirect(provider: ProviderId): boolean {
    return this.known.toAll.direct.get(provider)?.state === 'available';
  }

  private modeOf(provider: ProviderId, asking: Partial<ProviderAsking>): ExecutionMode | undefined {
    const { ownerId, useDirect, kind = 'chat' } = asking;
    const direct = this.knownTo(ownerId).direct.get(provider);
    if (useDirect !== false && direct?.state === 'available') return 'direct';
    if (useDirect === 'only') return undefined;
    if (!this.scripts.has(provider, kind)) return undefined;
    return useDirect === false || direct?.reason !== 'unreachable' ? 'script' : undefined;
  }

  private knownTo(ownerId: string | undefined): KnownAvailability {
    return this.known.to(ownerId === undefined ? undefined : this.owners.credentialsOf(ownerId));
  }

  private base(provider: ProviderId): ProviderAdapter {
    return this.adapters.get(provider) ?? this.build(provider);
  }

  private build(provider: ProviderId): ProviderAdapter {
    const factory = this.factories[provider];
    if (!factory) throw this.unavailable(provider);
    try {
      const adapter = factory(this.config.providers[provider]);
      this.adapters.set(provider, adapter);
      return adapter;
    } catch (error) {
      if (!isPackageMissing(error)) throw error;
      this.known.setPackageMissing(provider);
      throw this.unavailable(provider);
    }
  }

  private announceChanges(changed: readonly ProviderAvailability[]): void {
    if (this.local.isStarted) for (const state of changed) this.announce(state);
  }

  private announce(state: ProviderAvailability): void {
    const { provider, reason, detail } = state;
    this.logger.event(state.state === 'available' ? 'provider_ready' : 'provider', {
      provider,
      reason,
      detail,
    });
  }

  private unavailable(provider: ProviderId, call?: RefusedCall): Error {
    const state = this.known.toAll.direct.get(provider);
    return state ? unavailableError(state, call) : new Error(`Unknown provider ${provider}`);
  }
}
