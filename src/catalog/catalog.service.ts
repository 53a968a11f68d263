import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { ProviderId } from '../common/index';
import { AppConfig } from '../config/index';
import { type DiscoveredFacts, describeDiscovered } from './discovered-model';
import { type LoadedCatalog, loadCatalog, type ScheduledPrice } from './loader/load-catalog';
import { type Capacity, type CatalogModel, kindOf, type ModelKind, type ModelResolution } from './model';
import { ModelNames } from './model-names';

interface Snapshot {
  readonly version: string;
  readonly models: readonly CatalogModel[];
  readonly byKind: Readonly<Record<ModelKind, readonly CatalogModel[]>>;
  readonly names: ModelNames;
}

/** Runs before models become visible; what it throws keeps them out. */
export type BeforePublish = (models: readonly CatalogModel[]) => Promise<void>;

/**
 * The models that can be asked for. Loaded when it is constructed, so that a bad file stops the boot; everything it
 * hands out is frozen and stays the same object until the catalog changes.
 */
@Injectable()
export class CatalogService {
  private readonly loaded: LoadedCatalog;
  private readonly discovered = new Map<ProviderId, readonly CatalogModel[]>();
  private readonly beforePublish: BeforePublish[] = [];
  private snapshot: Snapshot;

  constructor(config: AppConfig) {
    this.loaded = loadCatalog(config.configDirs);
    this.snapshot = this.build();
  }

  /** Changes whenever any model changes; stored with every routing decision. */
  get version(): string {
    return this.snapshot.version;
  }

  /** All models in the order of the files. The same array until the catalog changes. */
  list(): readonly CatalogModel[] {
    return this.snapshot.models;
  }

  /** Those that do one kind of work, in the same order. The same array until the catalog changes. */
  ofKind(kind: ModelKind): readonly CatalogModel[] {
    return this.snapshot.byKind[kind];
  }

  /** By canonical id only. */
  find(id: string): CatalogModel | undefined {
    return this.snapshot.names.find(id);
  }

  /**
   * Understands `provider/model`, provider aliases (`grok/…`), bare ids, dated names and upstream ids, in any case of
   * letters. A retired model is resolved too, with a warning.
   * @throws ModelNotFoundError (404) naming the nearest known ids.
   */
  resolve(asked: string): ModelResolution {
    return this.snapshot.names.resolve(asked);
  }

  provider(provider: ProviderId): readonly CatalogModel[] {
    return this.snapshot.models.filter((model) => model.provider === provider);
  }

  /** What the provider takes of all its models together; undefined: as much as is sent. */
  providerCapacity(provider: ProviderId): Capacity | undefined {
    return this.loaded.capacities.get(provider);
  }

  /**
   * Replaces the models that a provider was found to have at run time. Those that stand in the files keep what is written
   * there. They become visible once their price (an explicit 0) is in the book.
   */
  async setDiscovered(provider: ProviderId, models: readonly CatalogModel[]): Promise<void> {
    const found = models.map((model) => Object.freeze({ ...model, isDiscovered: true }));
    if (JSON.stringify(this.discovered.get(provider) ?? []) === JSON.stringify(found)) return;
    const written = new Set(this.loaded.models.map((model) => model.id));
    const added = found.filter((model) => !written.has(model.id));
    for (const prepare of this.beforePublish) await prepare(added);
    this.discovered.set(provider, Object.freeze(found));
    this.snapshot = this.build();
  }

  /** A model that only its provider's own list tells of, with cautious estimates for all that list does not say. */
  describeDiscovered(provider: ProviderId, upstreamId: string, facts: DiscoveredFacts = {}): CatalogModel {
    const { tiers, timeouts } = this.loaded;
    return describeDiscovered(provider, upstreamId, { facts, tiers, timeouts: timeouts.get(provider) });
  }

  onBeforePublish(prepare: BeforePublish): void {
    this.beforePublish.push(prepare);
  }

  /** The prices that stand in the YAML; undefined when the model takes the list price or has none. */
  scheduledPrices(modelId: string): readonly ScheduledPrice[] | undefined {
    return this.loaded.prices.get(modelId);
  }

  private build(): Snapshot {
    const written = new Set(this.loaded.models.map((model) => model.id));
    const found = [...this.discovered.values()].flat().filter((model) => !written.has(model.id));
    const models = Object.freeze([...this.loaded.models, ...found]);
    const hash = createHash('sha256').update(this.loaded.hash).update(JSON.stringify(found));
    const byKind = Object.freeze({
      chat: Object.freeze(models.filter((model) => kindOf(model) === 'chat')),
      embedding: Object.freeze(models.filter((model) => kindOf(model) === 'embedding')),
    });
    return { version: hash.digest('hex').slice(0, 16), models, byKind, names: new ModelNames(models) };
  }
}
