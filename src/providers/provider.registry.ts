import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CatalogService } from '../catalog/index';
import type { ProviderId } from '../common/index';
import { AppConfig } from '../config/index';
import { AppLogger } from '../observability/index';
import { ADAPTER_FACTORIES, type AdapterFactories } from './adapter-factories';
import { availabilityOfAll, type ProviderAvailability, unavailableError } from './availability';
import { discoverModels } from './model-discovery';
import { resolveProviderName } from './provider-names';
import type { OpenProvider, ProviderAsking } from './open-provider';
import type { ProviderAdapter } from './provider.port';

const REFRESH_MS = 30_000;
/** How long the boot waits for a local server to list its models; the check goes on behind it. */
const BOOT_WAIT_MS = 1_000;

/**
 * Which providers can be called now, and the one adapter of each, built at its first use. Available means: it has an
 * adapter in this version and a credential or base URL; `local` must also have listed its models, which is checked at
 * boot and every 30 s.
 */
@Injectable()
export class ProviderRegistry implements OnModuleInit, OnApplicationShutdown {
  private readonly adapters = new Map<ProviderId, ProviderAdapter>();
  private readonly packageMissing = new Set<ProviderId>();
  private readonly closing = new AbortController();
  private isLocalUp = false;
  private states: readonly ProviderAvailability[];
  private available: ReadonlySet<ProviderId> = new Set();
  private timer?: NodeJS.Timeout;
  private refreshing?: Promise<void>;

  constructor(
    private readonly config: AppConfig,
    private readonly catalog: CatalogService,
    private readonly logger: AppLogger,
    @Inject(ADAPTER_FACTORIES) private readonly factories: AdapterFactories,
  ) {
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
    for (const state of this.states) if (state.state === 'available') this.announce(state);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }

  isAvailable(provider: ProviderId): boolean {
    return this.available.has(provider);
  }

  /** Can anything be called at all? */
  hasAvailable(): boolean {
    return this.available.size > 0;
  }

  /** Every provider Lattice knows, in a fixed order. The same array until something changes. */
  availability(): readonly ProviderAvailability[] {
    return this.states;
  }

  /**
   * Understands ids and the aliases grok, gemini, claude and ollama.
   * @throws UnknownProviderError (404) listing the known ones.
   */
  resolveName(name: string): ProviderId {
    return resolveProviderName(name);
  }

  /**
   * The provider's one adapter; its connections are shared by all callers.
   * @throws ProviderUnavailableError saying which variable would enable it.
   */
  async adapter(provider: ProviderId): Promise<ProviderAdapter> {
    if (!this.available.has(provider)) throw this.unavailable(provider);
    return this.adapters.get(provider) ?? this.build(provider);
  }

  /**
   * What makes one attempt for this caller: the provider's own adapter, or the installation's script in its place.
   * @throws ProviderUnavailableError saying which variable would enable it.
   */
  async open(provider: ProviderId, _asking: ProviderAsking): Promise<OpenProvider> {
    return { adapter: await this.adapter(provider), executionMode: 'direct' };
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
    await Promise.allSettled(adapters.map(async (adapter) => adapter.close?.()));
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
      const adapter = this.adapters.get('local') ?? this.build('local');
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
    const before = this.available;
    const states = availabilityOfAll(this.config, {
      hasAdapter: (provider) => this.factories[provider] !== undefined,
      isLocalUp: this.isLocalUp,
      packageMissing: this.packageMissing,
    });
    const available = new Set(
      states.filter((state) => state.state === 'available').map((state) => state.provider),
    );
    this.states = states;
    this.available = available;
    if (!this.timer) return;
    const changed = states.filter((state) => before.has(state.provider) !== available.has(state.provider));
    for (const state of changed) this.announce(state);
  }

  private announce(state: ProviderAvailability): void {
    const { provider, reason, detail } = state;
    this.logger.event(state.state === 'available' ? 'provider_ready' : 'provider', {
      provider,
      reason,
      detail,
    });
  }

  private unavailable(provider: ProviderId): Error {
    const state = this.states.find((known) => known.provider === provider);
    return state ? unavailableError(state) : new Error(`Unknown provider ${provider}`);
  }
}

function isPackageMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND';
}
