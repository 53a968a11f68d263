/** The catalog and the price book as REST shows them. */
import { Injectable } from '@nestjs/common';
import { Cursors } from '../auth/index';
import type { RequestContext } from '../common/index';
import { type AuditEntry, AuditSink, NotFoundError, ValidationError } from '../errors/index';
import { CatalogService } from './catalog.service';
import type { ListModelsQueryDto, ListPricesQueryDto } from './dto/list-models.query.dto';
import { type ModelPageDto, ModelResponseDto } from './dto/model.response.dto';
import { type PricePageDto, PriceResponseDto } from './dto/price.response.dto';
import { type CatalogModel, kindOf } from './model';
import type { ModelPrices, PriceVersion } from './price';
import { PriceBook } from './price-book';
import type { PriceRecord } from './price.repository';
import { fromUsd, toUsd, type UsdPerMillionPrices } from './price-conversion';

/** The lists, for their cursors. */
const MODELS = 'catalog/models';
const PRICES = 'catalog/prices';

@Injectable()
export class CatalogPages {
  constructor(
    private readonly catalog: CatalogService,
    private readonly book: PriceBook,
    private readonly cursors: Cursors,
    private readonly audit: AuditSink,
  ) {}

  /** Ordered by id, so that a page stays right when models come and go. */
  models(ctx: RequestContext, query: ListModelsQueryDto): ModelPageDto {
    const after = this.cursors.decode<string>(ctx, MODELS, query.cursor) ?? '';
    const rows = this.catalog
      .list()
      .filter((model) => model.id > after && matches(model, query))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const { limit } = query;
    const { items, nextCursor } = this.cursors.page(ctx, MODELS, { rows, limit, positionOf: ({ id }) => id });
    return { data: items.map((model) => this.present(model)), nextCursor };
  }

  /** @throws NotFoundError */
  model(id: string): ModelResponseDto {
    return this.present(this.get(id));
  }

  async prices(ctx: RequestContext, query: ListPricesQueryDto): Promise<PricePageDto> {
    const { model, limit } = query;
    const before = this.cursors.decode<number>(ctx, PRICES, query.cursor);
    const rows = await this.book.history(model, { limit: limit + 1, before });
    const positionOf = ({ version }: PriceVersion): number => version;
    const { items, nextCursor } = this.cursors.page(ctx, PRICES, { rows, limit, positionOf });
    return { data: items.map((price) => PriceResponseDto.of(price)), nextCursor };
  }

  /** @throws NotFoundError, ValidationError */
  async setPrice(ctx: RequestContext, id: string, usd: UsdPerMillionPrices): Promise<PriceResponseDto> {
    const model = this.get(id);
    const record = this.recordOf(ctx, model, { action: 'price.set', after: { ...usd } });
    const version = await this.book.setOverride(model, parsePrice(usd), ctx.principal.userId, record);
    return PriceResponseDto.of(version);
  }

  /** @throws NotFoundError when the model is unknown or has no operator's price. */
  async removePrice(ctx: RequestContext, id: string): Promise<ModelResponseDto> {
    const model = this.get(id);
    await this.book.removeOverride(model, this.recordOf(ctx, model, { action: 'price.remove' }));
    return this.present(model);
  }

  private recordOf(
    ctx: RequestContext,
    { id }: CatalogModel,
    act: Pick<AuditEntry, 'action' | 'after'>,
  ): PriceRecord {
    return (executor, found) => {
      const before = found && { version: found.version, source: found.source, ...toUsd(found) };
      return this.audit.record(ctx, { ...act, resourceId: id, before }, executor);
    };
  }

  private get(id: string): CatalogModel {
    const model = this.catalog.find(id);
    if (!model) throw new NotFoundError(`The catalog has no model "${id.slice(0, 200)}"`, { param: 'model' });
    return model;
  }

  private present(model: CatalogModel): ModelResponseDto {
    return ModelResponseDto.of(model, this.book.current(model.id));
  }
}

function matches(model: CatalogModel, { provider, capability, kind, status }: ListModelsQueryDto): boolean {
  if (provider && model.provider !== provider) return false;
  if (capability && !model.supports[capability]) return false;
  if (kind && kindOf(model) !== kind) return false;
  return !status || model.status === status;
}

function parsePrice(usd: UsdPerMillionPrices): ModelPrices {
  try {
    return fromUsd(usd);
  } catch (error) {
    if (error instanceof RangeError) throw new ValidationError(error.message, { cause: error });
    throw error;
  }
}
