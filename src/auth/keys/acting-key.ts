import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { RequestContext } from '../../common/index';
import { ForbiddenError, UnauthenticatedError } from '../../errors/index';
import { ApiKeyEntity } from '../entities/api-key.entity';
import { KeyAllowanceHost } from './key-allowances';
import { beyond, type KeyReach } from './key-reach';

/** What a caller who is a key may do with keys: never more than it may itself. Callers who are logged in always pass. */
@Injectable()
export class ActingKey {
  constructor(private readonly allowances: KeyAllowanceHost) {}

  /** @throws ForbiddenError when `wanted` reaches beyond the key that asks for it. */
  async refuseBeyond({ principal }: RequestContext, wanted: KeyReach, manager: EntityManager): Promise<void> {
    const { keyId } = principal;
    if (keyId === undefined) return;
    const own = await manager.findOneBy(ApiKeyEntity, { id: keyId });
    if (!own) throw new UnauthenticatedError('This API key no longer exists: create another');
    const param = beyond(own, wanted);
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
