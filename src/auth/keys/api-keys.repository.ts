import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type FindOptionsWhere, IsNull, LessThan, Repository } from 'typeorm';
import { newId, type Principal, type RequestContext, type Role } from '../../common/index';
import { ApiKeyEntity } from '../entities/api-key.entity';

export interface NewApiKey {
  readonly name: string;
  readonly prefix: string;
  readonly keyHash: string;
  readonly expiresAt: Date | null;
}

export interface ActiveKey {
  readonly principal: Principal;
  readonly expiresAtMs?: number;
}

interface ActiveKeyRow {
  readonly key_id: string;
  readonly user_id: string;
  readonly role: Role;
  readonly expires_at: Date | null;
}

const FIND_ACTIVE = `
  select k.id as key_id, k.user_id, k.expires_at, u.role
  from api_keys k join users u on u.id = k.user_id
  where k.key_hash = $1 and k.revoked_at is null and u.disabled_at is null
    and (k.expires_at is null or k.expires_at > now())`;

const TOUCH = `
  update api_keys set last_used_at = now()
  where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')`;

@Injectable()
export class ApiKeysRepository {
  constructor(@InjectRepository(ApiKeyEntity) private readonly keys: Repository<ApiKeyEntity>) {}

  /** Who a key acts for, if the key and its owner are active. */
  async findActive(keyHash: string): Promise<ActiveKey | undefined> {
    const [row] = await this.keys.query<ActiveKeyRow[]>(FIND_ACTIVE, [keyHash]);
    if (!row) return undefined;
    return {
      principal: Object.freeze({ userId: row.user_id, role: row.role, keyId: row.key_id }),
      expiresAtMs: row.expires_at?.getTime(),
    };
  }

  add(ctx: RequestContext, key: NewApiKey): Promise<ApiKeyEntity> {
    return this.keys.save(this.keys.create({ ...key, id: newId(), userId: ctx.principal.userId }));
  }

  /** The caller's keys that are not revoked, newest first, those before `beforeId` only. */
  listOwn(ctx: RequestContext, limit: number, beforeId?: string): Promise<ApiKeyEntity[]> {
    const where: FindOptionsWhere<ApiKeyEntity> = { userId: ctx.principal.userId, revokedAt: IsNull() };
    if (beforeId !== undefined) where.id = LessThan(beforeId);
    return this.keys.find({ where, order: { id: 'DESC' }, take: limit });
  }

  /** False when there is no such key, it is revoked already, or it is not the caller's (administrators may revoke any). */
  async revoke(ctx: RequestContext, id: string): Promise<boolean> {
    const where: FindOptionsWhere<ApiKeyEntity> = { id, revokedAt: IsNull() };
    if (ctx.principal.role !== 'admin') where.userId = ctx.principal.userId;
    const { affected } = await this.keys.update(where, { revokedAt: () => 'now()' });
    return affected === 1;
  }

  /** Writes the time of use, at most once a minute per key. */
  async touch(id: string): Promise<void> {
    await this.keys.query(TOUCH, [id]);
  }
}
