import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { DataSource } from 'typeorm';
import type { Principal } from '../../common/index';
import { type OwnedResource, OWNERSHIP, type OwnershipRule } from '../decorators/owned-by.decorator';
import { noSuch, ownedId } from './owned-id';
import { PerHandler } from './per-handler';

/**
 * Lets a request through to a thing only when it is the caller's: see `@OwnedBy`.
 * @throws NotFoundError
 */
@Injectable()
export class OwnershipGuard implements CanActivate {
  private readonly rules: PerHandler<OwnershipRule | undefined>;

  constructor(
    reflector: Reflector,
    private readonly database: DataSource,
  ) {
    this.rules = new PerHandler((targets) => reflector.getAllAndOverride(OWNERSHIP, targets));
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const rule = this.rules.of(context);
    if (!rule) return true;
    return this.check(rule, context.switchToHttp().getRequest<FastifyRequest>());
  }

  private async check({ resource, param }: OwnershipRule, request: FastifyRequest): Promise<boolean> {
    const asked = (request.params as Record<string, string | undefined>)[param] ?? '';
    const id = ownedId(resource, asked, param);
    const { principal } = request.lattice.context();
    if (!(await this.isOwn(resource, id, principal))) throw noSuch(resource, param);
    return true;
  }

  private async isOwn(
    { table, idColumn = 'id', ownerColumn = 'user_id' }: OwnedResource,
    id: string,
    { userId, role }: Principal,
  ): Promise<boolean> {
    const rows = await this.database.query<unknown[]>(
      `select 1 from ${table} where ${idColumn} = $1 and ($2 or ${ownerColumn} = $3)`,
      [id, role === 'admin', userId],
    );
    return rows.length > 0;
  }
}
