import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type RequestContext, toApiId } from '../../common/index';
import {
  type AuditEntry,
  AuditSink,
  ConflictError,
  ForbiddenError,
  ValidationError,
} from '../../errors/index';
import { Revocations } from '../credentials/revocations';
import { API_KEY_PREFIX, digestOf, newSecretToken, shownPrefix } from '../credentials/secret-token';
import type { ApiKeyEntity } from '../entities/api-key.entity';
import { noSuch, ownedId } from '../guard/owned-id';
import { ActingKey } from './acting-key';
import { API_KEY, ApiKeysRepository } from './api-keys.repository';
import { isActive } from './key-state';
import { type KeyAllowances, KeyAllowanceHost } from './key-allowances';

export interface KeySettings {
  readonly name: string;
  readonly scopes: string[] | null;
  readonly allowedModels: string[] | null;
  readonly cache: boolean;
  readonly expiresAt: Date | null;
}

export interface IssuedApiKey {
  readonly entity: ApiKeyEntity;
  /** The key itself: handed out this once. */
  readonly key: string;
}

const SETTINGS = ['name', 'scopes', 'allowedModels', 'cache', 'expiresAt'] as const;

/** Makes, changes, rotates and revokes API keys. Every act is audited with it, and takes effect in every process at once. */
@Injectable()
export class ApiKeyService {
  constructor(
    private readonly keys: ApiKeysRepository,
    private readonly acting: ActingKey,
    private readonly allowances: KeyAllowanceHost,
    private readonly revocations: Revocations,
    private readonly audit: AuditSink,
  ) {}

  /**
   * @throws ValidationError when the expiry is not in the future or an allowance is refused, ForbiddenError when a key
   * asks for more than it has, UnauthenticatedError when account or key ended meanwhile.
   */
  async create(
    ctx: RequestContext,
    settings: KeySettings,
    allowances: KeyAllowances = {},
  ): Promise<IssuedApiKey> {
    refusePast(settings.expiresAt);
    await this.acting.refuseOtherSecret(ctx);
    const key = newSecretToken(API_KEY_PREFIX);
    const row = { ...settings, prefix: shownPrefix(key), keyHash: digestOf(key) };
    const { entity, committed } = await this.revocations.transaction(async (manager) => {
      await this.acting.confirmUser(ctx, manager);
      this.acting.refuseBeyond(await this.acting.confirmKey(ctx, manager), settings);
      const added = await this.keys.add(ctx, row, manager);
      await this.record(ctx, added, { action: 'key.create', after: { ...settings, ...allowances } }, manager);
      return { entity: added, committed: await this.allow(ctx, added, allowances, manager) };
    });
    committed?.();
    return { entity, key };
  }

  /** @throws NotFoundError, ConflictError (revoked), ValidationError, ForbiddenError as `create` does. */
  async update(ctx: RequestContext, apiId: string, change: Partial<KeySettings>): Promise<ApiKeyEntity> {
    if (change.expiresAt !== undefined) refusePast(change.expiresAt);
    return this.act(ctx, apiId, async (entity, manager, own) => {
      if (entity.revokedAt) throw revoked();
      this.acting.refuseBeyond(own, { ...settingsOf(entity), ...change });
      const fields = SETTINGS.filter((field) => isOther(entity[field], change[field]));
      if (fields.length === 0) return;
      const [before, after] = [pick(entity, fields), pick(change, fields)];
      await this.keys.change(entity, after, manager);
      await this.record(ctx, entity, { action: 'key.update', before, after }, manager);
    });
  }

  /**
   * Gives the key another secret; the old one is taken for `graceSeconds` more, one before it not at all.
   * @throws NotFoundError, ConflictError (revoked or expired), ForbiddenError when it is not the caller's own key: its
   * secret acts for its owner.
   */
  async rotate(ctx: RequestContext, apiId: string, graceSeconds: number): Promise<IssuedApiKey> {
    if (ctx.principal.keyId !== ownedId(API_KEY, apiId)) await this.acting.refuseOtherSecret(ctx);
    const key = newSecretToken(API_KEY_PREFIX);
    const entity = await this.act(ctx, apiId, async (found, manager, own) => {
      if (found.userId !== ctx.principal.userId) {
        throw new ForbiddenError(
          'Only its owner can rotate a key: the new one acts for them. You can revoke it',
        );
      }
      if (found.revokedAt) throw revoked();
      if (!isActive(found)) throw new ConflictError('This API key has expired: set another expiresAt first');
      this.acting.refuseBeyond(own, found);
      await this.keys.change(found, rotation(found, key, graceSeconds), manager);
      await this.record(ctx, found, { action: 'key.rotate', after: { graceSeconds } }, manager);
    });
    return { entity, key };
  }

  /** Takes effect at once; a key that is revoked stays so. @throws NotFoundError */
  async revoke(ctx: RequestContext, apiId: string): Promise<void> {
    await this.act(ctx, apiId, async (entity, manager) => {
      if (entity.revokedAt) return;
      const revokedAt = new Date();
      await this.keys.change(entity, { revokedAt, previousKeyHash: null, previousKeyUntil: null }, manager);
      await this.record(ctx, entity, { action: 'key.revoke', before: { name: entity.name } }, manager);
    });
  }

  private async act(
    ctx: RequestContext,
    apiId: string,
    change: (entity: ApiKeyEntity, manager: EntityManager, own?: ApiKeyEntity) => Promise<void>,
  ): Promise<ApiKeyEntity> {
    const id = ownedId(API_KEY, apiId);
    return this.revocations.transaction(async (manager, announce) => {
      await this.acting.confirmUser(ctx, manager);
      // Two keys that act on each other lock in the same order.
      const isFirst = (ctx.principal.keyId ?? '') < id;
      const first = isFirst ? await this.acting.confirmKey(ctx, manager) : undefined;
      const entity = await this.keys.lock(ctx, id, manager);
      const own = isFirst ? first : await this.acting.confirmKey(ctx, manager);
      if (!entity) throw noSuch(API_KEY);
      await change(entity, manager, own);
      await announce({ keyId: id });
      return entity;
    });
  }

  /** Returns what is to be called once the key is there. */
  private async allow(
    ctx: RequestContext,
    { id }: ApiKeyEntity,
    allowances: KeyAllowances,
    manager: EntityManager,
  ): Promise<(() => void) | undefined> {
    if (!allowances.limits && !allowances.budget) return undefined;
    const { store } = this.allowances;
    if (!store) throw new ValidationError('Keys have no limits and budgets of their own here');
    return store.set(ctx, id, allowances, manager);
  }

  private record(
    ctx: RequestContext,
    { id }: ApiKeyEntity,
    act: Omit<AuditEntry, 'resourceId'>,
    manager: EntityManager,
  ): Promise<void> {
    return this.audit.record(ctx, { ...act, resourceId: toApiId('key', id) }, manager);
  }
}

function rotation(
  { keyHash }: ApiKeyEntity,
  key: string,
  graceSeconds: number,
): Pick<ApiKeyEntity, 'prefix' | 'keyHash' | 'previousKeyHash' | 'previousKeyUntil'> {
  const hasGrace = graceSeconds > 0;
  return {
    prefix: shownPrefix(key),
    keyHash: digestOf(key),
    previousKeyHash: hasGrace ? keyHash : null,
    previousKeyUntil: hasGrace ? new Date(Date.now() + graceSeconds * 1000) : null,
  };
}

function settingsOf({ name, scopes, allowedModels, cache, expiresAt }: ApiKeyEntity): KeySettings {
  return { name, scopes, allowedModels, cache, expiresAt };
}

function pick(from: Partial<KeySettings>, fields: readonly (keyof KeySettings)[]): Partial<KeySettings> {
  return Object.fromEntries(fields.map((field) => [field, from[field]]));
}

/** Undefined: it is not to change. */
function isOther(from: unknown, to: unknown): boolean {
  return to !== undefined && JSON.stringify(from) !== JSON.stringify(to);
}

function refusePast(expiresAt: Date | null): void {
  // A leap second passes the format check and is no date; it compares as false.
  if (expiresAt && !(expiresAt.getTime() > Date.now())) {
    throw new ValidationError('expiresAt must be a moment in the future', { param: 'expiresAt' });
  }
}

function revoked(): ConflictError {
  return new ConflictError('This API key has been revoked: create another');
}
