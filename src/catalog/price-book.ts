import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock, SerialQueue } from '../common/index';
import { NotFoundError } from '../errors/index';
import { CatalogService } from './catalog.service';
import { listPrice, LIST_PRICE_SOURCE } from './list-price';
import { type CatalogModel, kindOf } from './model';
import type { ModelPrices, PriceVersion } from './price';
import { fromUsd, priceHash } from './price-conversion';
import { type CurrentPrices, type ListedPrice, type PriceRecord, PriceRepository } from './price.repository';

const REFRESH_MS = 60_000;
const MAX_BOOKS = 20;
const YAML_SOURCE = 'catalog';
const DISCOVERY_SOURCE = 'local';
interface BookContent extends Pick<CurrentPrices, 'version' | 'closedAt'> {
  readonly prices: ReadonlyMap<string, PriceVersion>;
}

/** Models found at a local server cost nothing, and say so. */
const FREE = fromUsd({ input: '0', output: '0' });

/**
 * What every model costs, versioned: a price never changes, it is replaced by a new version. An operator's override wins
 * over the catalog's files, they win over the list. Another process's changes are told at once, and seen within a minute even when that is lost.
 */
@Injectable()
export class PriceBook implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(PriceBook.name);
  /** Hash of each model's listed price when this process last brought the book in line. */
  private readonly synced = new Map<string, string>();
  private content: BookContent = { version: 0, prices: new Map() };
  private readonly books = new LRUCache<number, ReadonlyMap<string, PriceVersion>>({ max: MAX_BOOKS });
  /** One at a time, so that an older reading never replaces a newer one. */
  private readonly turns = new SerialQueue();
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly catalog: CatalogService,
    private readonly repository: PriceRepository,
    private readonly clock: Clock,
  ) {
    catalog.onBeforePublish((models) => this.turns.run(() => this.sync(models)));
  }

  async onModuleInit(): Promise<void> {
    await this.turns.run(() => this.sync(this.catalog.list()));
    this.timer = setInterval(() => void this.quietly(() => this.refresh()), REFRESH_MS);
    this.timer.unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.turns.idle();
  }

  /** The price in force, from memory. Undefined means unknown, never free. */
  current(modelId: string): PriceVersion | undefined {
    return this.content.prices.get(modelId);
  }

  /** The highest number of a price version when this process last read the book; stored with every routing decision. */
  get version(): number {
    return this.content.version;
  }

  /** What was in force when the book had this version; a price that nothing replaced, until it was withdrawn. */
  async asOf(version: number, at: Date): Promise<{ current(modelId: string): PriceVersion | undefined }> {
    const { closedAt, prices: present } = this.content;
    const isPresent = version === this.version && (closedAt === undefined || closedAt < at);
    if (isPresent) return { current: (modelId) => present.get(modelId) };
    const prices = await this.earlier(version);
    return {
      current: (modelId) => {
        const price = prices.get(modelId);
        return price?.validTo === undefined || price.validTo > at ? price : undefined;
      },
    };
  }

  /** Newest first, optionally of one model. */
  async history(
    model: string | undefined,
    page: { limit: number; before?: number },
  ): Promise<PriceVersion[]> {
    return await this.repository.history(model, page);
  }

  /** Sets an operator's price, in force at once, elsewhere as soon as it is told. */
  async setOverride(
    model: CatalogModel,
    price: ModelPrices,
    userId: string,
    record: PriceRecord,
  ): Promise<PriceVersion> {
    await this.turns.run(async () => {
      await this.repository.setOverride(this.listed(model), price, userId, record);
      await this.reload();
    });
    const now = this.current(model.id);
    if (!now) throw new NotFoundError(`The price of ${model.id} was removed meanwhile`);
    return now;
  }

  /** Goes back to the listed price. @throws NotFoundError when no override is set. */
  async removeOverride(model: CatalogModel, record: PriceRecord): Promise<void> {
    const wasSet = await this.turns.run(async () => {
      const removed = await this.repository.removeOverride(this.listed(model), record);
      await this.reload();
      return removed;
    });
    if (!wasSet) throw new NotFoundError(`No operator's price is set for ${model.id}`);
  }

  /** Takes over what other processes wrote, and writes listed prices that begin to hold by date. */
  async refresh(): Promise<void> {
    await this.turns.run(async () => {
      const changed = this.catalog
        .list()
        .filter((model) => this.hashNow(model) !== this.synced.get(model.id));
      await (changed.length > 0 ? this.sync(changed) : this.reload());
    });
  }

  /** Takes over what other processes wrote. A failure is a warning in the log: the next refresh tries again. */
  async takeOver(): Promise<void> {
    await this.quietly(() => this.turns.run(() => this.reload()));
  }

  private async quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.warn(
        `The price book was not refreshed: ${error instanceof Error ? error.message : 'unknown reason'}`,
      );
    }
  }

  /** Of books that are closed, the last few that were asked for. */
  private async earlier(version: number): Promise<ReadonlyMap<string, PriceVersion>> {
    const known = this.books.get(version);
    if (known) return known;
    const rows = await this.repository.listUpTo(version);
    const prices = new Map(rows.map((row) => [row.model, row]));
    if (version < this.version) this.books.set(version, prices);
    return prices;
  }

  private async sync(models: readonly CatalogModel[]): Promise<void> {
    const listed = models.map((model) => this.listed(model));
    await this.repository.sync(listed);
    for (const { model, listed: own } of listed) this.synced.set(model, own ? priceHash(own.price) : '');
    await this.reload();
  }

  /** Unchanged versions stay the same objects. */
  private async reload(): Promise<void> {
    const { prices } = this.content;
    const now = await this.repository.readCurrent();
    const entries = now.prices.map((row) => {
      const before = prices.get(row.model);
      return [row.model, before?.version === row.version ? before : row] as const;
    });
    this.content = { version: now.version, closedAt: now.closedAt, prices: new Map(entries) };
  }

  private listed(model: CatalogModel): ListedPrice {
    const now = new Date(this.clock.now());
    const schedule = this.catalog.scheduledPrices(model.id);
    const scheduled = schedule?.findLast(({ from }) => !from || from <= now);
    if (scheduled) return { model: model.id, listed: { price: scheduled.price, source: YAML_SOURCE } };
    if (model.priceId) {
      const price = listPrice(model.priceId, now, kindOf(model));
      return { model: model.id, listed: price && { price, source: LIST_PRICE_SOURCE } };
    }
    const isFree = model.isDiscovered && model.provider === 'local';
    return { model: model.id, listed: isFree ? { price: FREE, source: DISCOVERY_SOURCE } : undefined };
  }

  private hashNow(model: CatalogModel): string {
    const { listed } = this.listed(model);
    return listed ? priceHash(listed.price) : '';
  }
}
