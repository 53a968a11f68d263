import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Clock, SerialQueue } from '../common/index';
import { NotFoundError } from '../errors/index';
import { CatalogService } from './catalog.service';
import { listPrice, LIST_PRICE_SOURCE } from './list-price';
import { type CatalogModel, kindOf } from './model';
import type { ModelPrices, PriceVersion } from './price';
import { fromUsd, priceHash } from './price-conversion';
import { type ListedPrice, type PriceRecord, PriceRepository } from './price.repository';

const REFRESH_MS = 60_000;
const YAML_SOURCE = 'catalog';
const DISCOVERY_SOURCE = 'local';
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
  private prices: ReadonlyMap<string, PriceVersion> = new Map();
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
    return this.prices.get(modelId);
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

  private async sync(models: readonly CatalogModel[]): Promise<void> {
    const listed = models.map((model) => this.listed(model));
    await this.repository.sync(listed);
    for (const { model, listed: own } of listed) this.synced.set(model, own ? priceHash(own.price) : '');
    await this.reload();
  }

  /** Unchanged versions stay the same objects. */
  private async reload(): Promise<void> {
    const rows = await this.repository.listCurrent();
    this.prices = new Map(
      rows.map((row) => {
        const before = this.prices.get(row.model);
        return [row.model, before?.version === row.version ? before : row];
      }),
    );
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
