import { Injectable } from '@nestjs/common';
import { fromApiId, type RequestContext } from '../../common/index';
import { ForbiddenError, ValidationError } from '../../errors/index';
import { Cursors } from '../cursors';
import type { ListKeysQueryDto } from '../dto/list-keys.query.dto';
import { type CreatedKeyResponseDto, type KeyPageResponseDto, KeyResponseDto } from '../dto/key.response.dto';
import type { ApiKeyEntity } from '../entities/api-key.entity';
import { noSuch, ownedId } from '../guard/owned-id';
import type { IssuedApiKey } from './api-key.service';
import { API_KEY, ApiKeysRepository } from './api-keys.repository';
import { KeyAllowanceHost } from './key-allowances';

/** API keys as REST shows them: with their limits and budgets, which are kept elsewhere. */
@Injectable()
export class ApiKeyPages {
  constructor(
    private readonly keys: ApiKeysRepository,
    private readonly allowances: KeyAllowanceHost,
    private readonly cursors: Cursors,
  ) {}

  /** Newest first. @throws ForbiddenError when somebody asks for keys of others, ValidationError */
  async list(ctx: RequestContext, query: ListKeysQueryDto): Promise<KeyPageResponseDto> {
    const ownerId = ownerOf(ctx, query);
    const { limit, includeRevoked: hasRevoked } = query;
    const list = `keys/${ownerId ?? 'all'}/${hasRevoked}`;
    const beforeId = this.cursors.decode<string>(ctx, list, query.cursor);
    const rows = await this.keys.list(ctx, { ownerId, hasRevoked, limit: limit + 1, beforeId });
    const page = this.cursors.page(ctx, list, { rows, limit, positionOf: ({ id }) => id });
    return { data: await this.present(ctx, page.items), nextCursor: page.nextCursor };
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, apiId: string): Promise<KeyResponseDto> {
    const found = await this.keys.find(ctx, ownedId(API_KEY, apiId));
    if (!found) throw noSuch(API_KEY);
    return this.show(ctx, found);
  }

  async show(ctx: RequestContext, key: ApiKeyEntity): Promise<KeyResponseDto> {
    const [shown] = await this.present(ctx, [key]);
    return shown ?? KeyResponseDto.from(key);
  }

  /** With the key itself, this once. */
  async issued(ctx: RequestContext, { entity, key }: IssuedApiKey): Promise<CreatedKeyResponseDto> {
    return Object.assign(await this.show(ctx, entity), { key });
  }

  private async present(ctx: RequestContext, keys: readonly ApiKeyEntity[]): Promise<KeyResponseDto[]> {
    const ids = keys.map(({ id }) => id);
    const allowances = ids.length > 0 ? await this.allowances.store?.list(ctx, ids) : undefined;
    return keys.map((key) => KeyResponseDto.from(key, allowances?.get(key.id)));
  }
}

/** Undefined: everybody's. */
function ownerOf({ principal }: RequestContext, { userId, all }: ListKeysQueryDto): string | undefined {
  if (userId === undefined && !all) return principal.userId;
  if (userId !== undefined && all) {
    throw new ValidationError('userId names one owner, all means every one: send one of them', {
      param: 'all',
    });
  }
  const asked = userId === undefined ? undefined : fromApiId('usr', userId);
  if (userId !== undefined && asked === undefined) {
    throw new ValidationError('userId must be an id such as usr_0192f0c1a2b37c4d8e5f60718293a4b5', {
      param: 'userId',
    });
  }
  if (principal.role !== 'admin' && asked !== principal.userId) {
    throw new ForbiddenError("Only administrators may list others' keys", { param: all ? 'all' : 'userId' });
  }
  return asked;
}
