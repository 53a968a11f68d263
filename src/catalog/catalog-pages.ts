/** The catalog and the price book as REST shows them. */
import { Injectable } from '@nestjs/common';
import type { RequestContext } from '../common/index';
import { NotFoundError, ValidationError } from '../errors/index';
import { CatalogService } from './catalog.service';
import type { ListModelsQueryDto, ListPricesQueryDto } from './dto/list-models.query.dto';
import { type ModelPageDto, ModelResponseDto } from './dto/model.response.dto';
import { type PricePageDto, PriceResponseDto } from './dto/price.response.dto';
import type { CatalogModel } from './model';
import type { ModelPrices } from './price';
import { PriceBook } from './price-book';
import { fromUsd, type UsdPerMillionPrices } from './price-conversion';

@Injectable()
export class CatalogPages {
  constructor(
    private readonly catalog: CatalogService,
    private readonly book: PriceBook,
  ) {}

  /** Ordered by id, so that a page stays right when models come and go. */
  models(query: ListModelsQueryDto): ModelPageDto {
    const after = query.cursor === undefined ? '' : decodeCursor(query.cursor);
    const matching = this.catalog
      .list()
      .filter((model) => model.id > after && matches(model, query))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const page = matching.slice(0, query.limit);
    const last = matching.length > page.length ? page.at(-1) : undefined;
    return {
      data: page.map((model) => this.present(model)),
      nextCursor: last ? encodeCursor(last.id) : null,
    };
  }

  /** @throws NotFoundError */
  model(id: string): ModelResponseDto {
    return this.present(this.get(id));
  }

  async prices(query: ListPricesQueryDto): Promise<PricePageDto> {
    const before = query.cursor === undefined ? undefined : versionOf(query.cursor);
    const rows = await this.book.history(query.model, { limit: query.limit + 1, before });
    const page = rows.slice(0, query.limit);
    const last = rows.length > page.length ? page.at(-1) : undefined;
    return {
      data: page.map((price) => PriceResponseDto.of(price)),
      nextCursor: last ? encodeCursor(String(last.version)) : null,
    };
  }

  /** @throws NotFoundError, ValidationError */
  async setPrice(ctx: RequestContext, id: string, usd: UsdPerMillionPrices): Promise<PriceResponseDto> {
    const model = this.get(id);
    const version = await this.book.setOverride(model, parsePrice(usd), ctx.principal.userId);
    return PriceResponseDto.of(version);
  }

  /** @throws NotFoundError when the model is unknown or has no operator's price. */
  async removePrice(id: string): Promise<ModelResponseDto> {
    const model = this.get(id);
    await this.book.removeOverride(model);
    return this.present(model);
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

function matches(model: CatalogModel, { provider, capability, status }: ListModelsQueryDto): boolean {
  if (provider && model.provider !== provider) return false;
  if (capability && !model.supports[capability]) return false;
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

function encodeCursor(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}

function decodeCursor(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString('utf8');
}

function versionOf(cursor: string): number {
  const version = Number(decodeCursor(cursor));
  if (!Number.isInteger(version) || version < 1 || version > 2_147_483_647) {
    throw new ValidationError('cursor is not one that this list gave', { param: 'cursor' });
  }
  return version;
}
