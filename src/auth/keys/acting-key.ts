import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { RequestContext } from '../../common/index';
import { ForbiddenError, UnauthenticatedError } from '../../errors/index';
import { ApiKeyEntity } from '../entities/api-key.entity';
import { KeyAllowanceHost } from './key-allowances';
import { beyond, type KeyReach } from './key-reach';
import { hasGeneration, isActive } from './key-state';

const CONFIRM_USER = 'select 1 from users where id = $1 and disabled_at is null for share';

/** What a caller who is a key may do with keys: never more than it may itself. Callers who are logged in always pass. */
@Injectable()
export class ActingKey {
  constructor(private readonly allowances: KeyAllowanceHost) {}

  /**
   * Holds the caller's account until the transaction ends: whoever was disabled since the guard asked does nothing more.
   * Comes before every lock on a key, as it does when an account is disabled.
   * @throws UnauthenticatedError
   */
  async confirmUser({ principal }: RequestContext, manager: EntityManager): Promise<void> {
    const found: unknown[] = await manager.query(CONFIRM_USER, [principal.userId]);
    if (found.length === 0) throw new UnauthenticatedError('This account is not active any more');
  }

  /**
   * Holds the key that acts, if one does, until the transaction ends: none that was revoked, rotated or has expired
   * since the guard asked leaves another behind. Undefined: the caller is logged in.
   * @throws UnauthenticatedError
   */
  async confirmKey({ principal }: RequestContext, manager: EntityManager): Promise<ApiKeyEntity | undefined> {
    const { keyId, keyGeneration } = principal;
    if (keyId === undefined) return undefined;
    const lock = { mode: 'pessimistic_read' } as const;
    const own = await manager.findOne(ApiKeyEntity, { where: { id: keyId }, lock });
    if (own && isActive(own) && hasGeneration(own, keyGeneration)) return own;
    throw new UnauthenticatedError('This API key is not valid any more: use another');
  }

  /**
   * @param own of `confirmKey`
   * @throws ForbiddenError when `wanted` reaches beyond the key that asks for it.
   */
  refuseBeyond(own: KeyReach | undefined, wanted: KeyReach): void {
    const param = own && beyond(own, wanted);
    if (!param) return;
    throw new ForbiddenError(
      `A key can give no more than it has: ${param} must stay within its own. Log in to go beyond`,
      { param },
    );
  }

  /**
   * Another secret would escape the budget and the limits of the key that asks for it.
   * @throws ForbiddenError
   */
  async refuseOtherSecret(ctx: RequestContext): Promise<void> {
    const { keyId } = ctx.principal;
    if (keyId === undefined) return;
    const allowances = await this.allowances.store?.list(ctx, [keyId]);
    const { limits, budget } = allowances?.get(keyId) ?? {};
    if (!limits && !budget) return;
    throw new ForbiddenError(
      'A key with a budget or limits of its own cannot get other keys: log in for that',
    );
  }
}
