import { Injectable } from '@nestjs/common';
import { fromApiId, type RequestContext, toApiId } from '../../common/index';
import { NotFoundError, ValidationError } from '../../errors/index';
import { ApiKeysRepository } from './api-keys.repository';
import { API_KEY_PREFIX, digestOf, newSecretToken, shownPrefix } from '../credentials/secret-token';
import type { ApiKeyEntity } from '../entities/api-key.entity';
import { PrincipalCache } from '../guard/principal-cache';

export interface CreatedApiKey {
  readonly entity: ApiKeyEntity;
  /** The key itself: handed out this once. */
  readonly key: string;
}

export interface ApiKeyPage {
  readonly entities: readonly ApiKeyEntity[];
  readonly nextCursor: string | null;
}

/** The caller's API keys. */
@Injectable()
export class ApiKeyService {
  constructor(
    private readonly keys: ApiKeysRepository,
    private readonly cache: PrincipalCache,
  ) {}

  /** @throws ValidationError when the expiry is not in the future. */
  async create(ctx: RequestContext, name: string, expiresAt?: string): Promise<CreatedApiKey> {
    const key = newSecretToken(API_KEY_PREFIX);
    const entity = await this.keys.add(ctx, {
      name,
      prefix: shownPrefix(key),
      keyHash: digestOf(key),
      expiresAt: expiresAt === undefined ? null : futureDate(expiresAt),
    });
    return { entity, key };
  }

  /** Newest first. @throws ValidationError when the cursor is none of ours. */
  async list(ctx: RequestContext, limit: number, cursor?: string): Promise<ApiKeyPage> {
    const beforeId = cursor === undefined ? undefined : fromApiId('key', cursor);
    if (cursor !== undefined && beforeId === undefined) {
      throw new ValidationError('cursor must be the nextCursor of an earlier page', { param: 'cursor' });
    }
    const found = await this.keys.listOwn(ctx, limit + 1, beforeId);
    const entities = found.slice(0, limit);
    const last = found.length > limit ? entities.at(-1) : undefined;
    return { entities, nextCursor: last ? toApiId('key', last.id) : null };
  }

  /** Takes effect at once. @throws NotFoundError when the key is missing, foreign or revoked already. */
  async revoke(ctx: RequestContext, apiId: string): Promise<void> {
    const keyId = fromApiId('key', apiId);
    if (keyId === undefined || !(await this.keys.revoke(ctx, keyId))) {
      throw new NotFoundError('There is no such API key.', { param: 'id' });
    }
    this.cache.evict({ keyId });
  }
}

function futureDate(text: string): Date {
  const date = new Date(text);
  // A leap second passes the format check and is no date; it compares as false.
  if (!(date.getTime() > Date.now())) {
    throw new ValidationError('expiresAt must be a moment in the future', { param: 'expiresAt' });
  }
  return date;
}
