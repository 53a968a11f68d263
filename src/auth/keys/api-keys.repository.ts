import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, type FindOptionsWhere, IsNull, LessThan, Repository } from 'typeorm';
import { newId, type Principal, type RequestContext, type Role } from '../../common/index';
import type { OwnedResource } from '../decorators/owned-by.decorator';
import { ApiKeyEntity } from '../entities/api-key.entity';
import { generationOf } from './key-state';

/** For `@OwnedBy`. */
export const API_KEY: OwnedResource = { prefix: 'key', name: 'API key', table: 'api_keys' };

export type NewApiKey = Pick<
  ApiKeyEntity,
  'name' | 'prefix' | 'keyHash' | 'scopes' | 'allowedModels' | 'cache' | 'expiresAt'
>;

export interface ActiveKey {
  readonly principal: Principal;
  readonly expiresAtMs?: number;
}

export interface KeyQuery {
  /** UUID; undefined: everybody's, for administrators. */
  readonly ownerId?: string;
  readonly hasRevoked: boolean;
  readonly limit: number;
  /** UUID: only those made before it. */
  readonly beforeId?: string;
}

interface ActiveKeyRow {
  readonly key_id: string;
  readonly user_id: string;
  readonly role: Role;
  readonly scopes: string[] | null;
  readonly allowed_models: string[] | null;
  readonly cache: boolean;
  readonly valid_until: Date | null;
}

const FIND_ACTIVE = `
  select k.id as key_id, k.user_id, k.scopes, k.allowed_models, k.cache, u.role,
    least(k.expires_at, case when k.key_hash <> $1 then k.previous_key_until end) as valid_until
  from api_keys k join users u on u.id = k.user_id
  where (k.key_hash = $1 or (k.previous_key_hash = $1 and k.previous_key_until > now()))
    and k.revoked_at is null and u.disabled_at is null and (k.expires_at is null or k.expires_at > now())`;

const FIND_ACTIVE_BY_ID = `
  select k.id as key_id, k.user_id, k.scopes, k.allowed_models, k.cache, u.role, k.expires_at as valid_until
  from api_keys k join users u on u.id = k.user_id
  where k.id = $1 and k.revoked_at is null and u.disabled_at is null
    and (k.expires_at is null or k.expires_at > now())
    and ($2::text is null or starts_with(k.key_hash, $2)
      or (starts_with(k.previous_key_hash, $2) and k.previous_key_until > now()))`;

const TOUCH = `
  update api_keys set last_used_at = now()
  where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')`;

@Injectable()
export class ApiKeysRepository {
  constructor(@InjectRepository(ApiKeyEntity) private readonly keys: Repository<ApiKeyEntity>) {}

  /** Who a key acts for, if the key and its owner are active. */
  async findActive(keyHash: string): Promise<ActiveKey | undefined> {
    const [row] = await this.keys.query<ActiveKeyRow[]>(FIND_ACTIVE, [keyHash]);
    return (
      row && { principal: principalOf(row, generationOf(keyHash)), expiresAtMs: row.valid_until?.getTime() }
    );
  }

  /** As `findActive`, for what was derived from the key, or from the one of its secrets that is named. */
  async findActiveById(id: string, generation?: string): Promise<ActiveKey | undefined> {
    const [row] = await this.keys.query<ActiveKeyRow[]>(FIND_ACTIVE_BY_ID, [id, generation ?? null]);
    return row && { principal: principalOf(row, generation), expiresAtMs: row.valid_until?.getTime() };
  }

  async add(ctx: RequestContext, key: NewApiKey, manager: EntityManager): Promise<ApiKeyEntity> {
    const unused = { previousKeyHash: null, previousKeyUntil: null, revokedAt: null, lastUsedAt: null };
    const row = { ...key, ...unused, id: newId(), userId: ctx.principal.userId };
    const entity = manager.create(ApiKeyEntity, row);
    await manager.insert(ApiKeyEntity, entity);
    return entity;
  }

  /** One of the caller's keys, or anybody's for administrators. Revoked ones too. */
  async find(ctx: RequestContext, id: string): Promise<ApiKeyEntity | undefined> {
    return (await this.keys.findOneBy(visible(ctx, id))) ?? undefined;
  }

  /** As `find`; nobody else changes it until the transaction ends. */
  async lock(ctx: RequestContext, id: string, manager: EntityManager): Promise<ApiKeyEntity | undefined> {
    const options = { where: visible(ctx, id), lock: { mode: 'pessimistic_write' } } as const;
    return (await manager.findOne(ApiKeyEntity, options)) ?? undefined;
  }

  async change(key: ApiKeyEntity, change: Partial<ApiKeyEntity>, manager: EntityManager): Promise<void> {
    await manager.update(ApiKeyEntity, { id: key.id }, change);
    Object.assign(key, change);
  }

  /** Newest first; the caller's own, whatever is asked for, unless the caller is an administrator. */
  list({ principal }: RequestContext, query: KeyQuery): Promise<ApiKeyEntity[]> {
    const where: FindOptionsWhere<ApiKeyEntity> = query.hasRevoked ? {} : { revokedAt: IsNull() };
    const ownerId = principal.role === 'admin' ? query.ownerId : principal.userId;
    if (ownerId !== undefined) where.userId = ownerId;
    if (query.beforeId !== undefined) where.id = LessThan(query.beforeId);
    return this.keys.find({ where, order: { id: 'DESC' }, take: query.limit });
  }

  /** Writes the time of use, at most once a minute per key. */
  async touch(id: string): Promise<void> {
    await this.keys.query(TOUCH, [id]);
  }
}

function visible({ principal }: RequestContext, id: string): FindOptionsWhere<ApiKeyEntity> {
  return principal.role === 'admin' ? { id } : { id, userId: principal.userId };
}

function principalOf(row: ActiveKeyRow, keyGeneration: string | undefined): Principal {
  const principal: Principal = {
    userId: row.user_id,
    role: row.role,
    keyId: row.key_id,
    ...(keyGeneration !== undefined && { keyGeneration }),
    ...(row.scopes && { scopes: Object.freeze(row.scopes) }),
    ...(row.allowed_models && { allowedModels: Object.freeze(row.allowed_models) }),
    ...(row.cache && { usesCache: true }),
  };
  return Object.freeze(principal);
}
