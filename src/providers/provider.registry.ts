import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CatalogService } from '../catalog/index';
import type { ProviderId } from '../common/index';
import { AppConfig } from '../config/index';
import { AppLogger } from '../observability/index';
import { ADAPTER_FACTORIES, type AdapterFactories } from './adapter-factories';
import {
  availabilityOfAll,
  hasOwn,
  isPackageMissing,
  type KnownAvailability,
  type Observed,
  type ProviderAvailability,
  type RefusedCall,
  unavailableError,
} from './availability';
import { ScriptAdapters } from './adapters/script/script-adapters';
import type { OwnCredentials } from './credentials/credential';
import { type CredentialSecret, ownSettings, takesOwnCredential } from './credentials/credential-secret';
import { OwnerAdapters } from './credentials/owner-adapters';
import { discoverModels } from './model-discovery';
import { resolveProviderName } from './provider-names';
import {
  type ExecutionMode,
  fallbackReasonOf,
  type OpenProvider,
  type ProviderAsking,
  type WantedWork,
} from './open-provider';
import type { ProviderAdapter } from './provider.port';

const REFRESH_MS = 30_000;
/** How long the boot waits for a local server to list its models; the check goes on behind it. */
const BOOT_WAIT_MS = 1_000;

/**
 * Which providers can be called now, and the one adapter of each, built at its first use. Available means: it has an
 * adapter in this version and a credential or base URL; `local` must also have listed its models, which is checked at
 * boot and every 30 s. Owners of credentials can call more than others: whatever takes an `ownerId` (UUID of the user)
 * answers for that caller, without it for everybody.
 */
@Injectable()
export class ProviderRegistry implements OnModuleInit, OnApplicationShutdown {
  private readonly adapters = new Map<ProviderId, ProviderAdapter>();
  private readonly packageMissing = new Set<ProviderId>();
  private readonly closing = new AbortController();
  private readonly scripts: ScriptAdapters;
  private isLocalUp = false;
  private known: KnownAvailability = { states: [], available: new Set(), direct: new Map() };
  /** By the owner's credentials, which are another object whenever they change. */
  private knownOfOwners = new WeakMap<OwnCredentials, KnownAvailability>();
  private timer?: NodeJS.Timeout;
  private refreshing?: Promise<void>;

  constructor(
    private readonly config: AppConfig,
    private readonly catalog: CatalogService,
    private readonly logger: AppLogger,
    @Inject(ADAPTER_FACTORIES) private readonly factories: AdapterFactories,
    private readonly owners: OwnerAdapters,
  ) {
    this.scripts = new ScriptAdapters(config.scripts, logger);
    this.update();
  }

  async onModuleInit(): Promise<void> {
    this.timer = setInterval(() => void this.refresh(), REFRESH_MS).unref();
    let wait: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      wait = setTimeout(resolve, BOOT_WAIT_MS);
    });
    await Promise.race([this.refresh(), limit]);
    clearTimeout(wait);
    for (const state of this.known.states) if (state.state === 'available') this.announce(state);
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
    return this.known.available.size > 0 || this.owners.isAny;
  }

  /** Every provider Lattice knows, in a fixed order. The same array until something changes. */
  availability(ownerId?: string): readonly ProviderAvailability[] {
    return this.knownTo(ownerId).states;
  }

  /** Names the own credential, as it is now, that a call of this owner is made with: its failures are theirs alone. */
  ownCredential(provider: ProviderId, ownerId: string): string | undefined {
    if (!this.config.isDirectAllowed) return undefined;
    const own = this.owners.credentialsOf(ownerId);
    const ref = own && hasOwn(provider, this.config, { own }) ? own.get(provider) : undefined;
    return ref && `${ref.id}:${ref.version}`;
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
    const isByScript = this.known.available.has(provider) && !this.isDirect(provider);
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
      if (!script) throw this.unavailable(provider, { useDirect, kind });
      return { adapter: script, executionMode: 'script' };
    }
    try {
      return { adapter: await this.direct(provider, ownerId), executionMode: 'direct' };
    } catch (error) {
      const fallbackReason = fallbackReasonOf(error);
      if (!script || !fallbackReason) throw error;
      return { adapter: script, executionMode: 'script', fallbackReason };
    }
  }

  /** Asks again what can be reached; never rejects. Calls that overlap share one check. */
  refresh(): Promise<void> {
    this.refreshing ??= this.look().finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  /** Stops the checks and closes all connections. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    this.closing.abort(new Error('The process is shutting down'));
    await this.refreshing;
    const adapters = [...this.adapters.values()];
    this.adapters.clear();
    await Promise.allSettled([this.scripts.close(), ...adapters.map(async (adapter) => adapter.close?.())]);
  }

  private async direct(provider: ProviderId, ownerId: string): Promise<ProviderAdapter> {
    const own = this.takesOwnCredential(provider)
      ? await this.owners.adapterOf(ownerId, provider, (secret) => this.adapterWith(provider, secret))
      : undefined;
    return own ?? this.installed(provider);
  }

  private installed(provider: ProviderId): ProviderAdapter {
    if (!this.isDirect(provider)) throw this.unavailable(provider);
    return this.base(provider);
  }

  private isDirect(provider: ProviderId): boolean {
    return this.known.direct.get(provider)?.state === 'available';
  }

  private modeOf(provider: ProviderId, asking: Partial<ProviderAsking>): ExecutionMode | undefined {
    const { ownerId, useDirect, kind = 'chat' } = asking;
    const direct = this.knownTo(ownerId).direct.get(provider);
    if (useDirect !== false && direct?.state === 'available') return 'direct';
    if (!this.scripts.has(provider, kind)) return undefined;
    return useDirect === false || direct?.reason !== 'unreachable' ? 'script' : undefined;
  }

  private knownTo(ownerId: string | undefined): KnownAvailability {
    const own = ownerId === undefined ? undefined : this.owners.credentialsOf(ownerId);
    if (!own) return this.known;
    let known = this.knownOfOwners.get(own);
    if (!known) this.knownOfOwners.set(own, (known = availabilityOfAll(this.config, this.observed(own))));
    return known;
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
      this.packageMissing.add(provider);
      this.update();
      throw this.unavailable(provider);
    }
  }

  private async look(): Promise<void> {
    if (!this.factories.local || !this.config.providers.local.isConfigured) return;
    try {
      const adapter = this.base('local');
      const models = await discoverModels(adapter, this.catalog, this.closing.signal);
      await this.catalog.setDiscovered('local', models);
      this.isLocalUp = true;
    } catch (error) {
      this.isLocalUp = false;
      this.logger.debug(`The local model server did not answer: ${String(error)}`, ProviderRegistry.name);
    }
    if (!this.closing.signal.aborted) this.update();
  }

  private update(): void {
    const before = this.known.available;
    const known = availabilityOfAll(this.config, this.observed());
    this.known = known;
    this.knownOfOwners = new WeakMap();
    if (!this.timer) return;
    const changed = known.states.filter(
      ({ provider }) => before.has(provider) !== known.available.has(provider),
    );
    for (const state of changed) this.announce(state);
  }

  private observed(own?: OwnCredentials): Observed {
    return {
      hasAdapter: (provider) => this.factories[provider] !== undefined,
      isLocalUp: this.isLocalUp,
      packageMissing: this.packageMissing,
      own,
    };
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
    const state = this.known.direct.get(provider);
    return state ? unavailableError(state, call) : new Error(`Unknown provider ${provider}`);
  }
}
