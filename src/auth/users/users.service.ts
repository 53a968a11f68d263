import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { RequestContext, Role } from '../../common/index';
import { AuditSink, ForbiddenError } from '../../errors/index';
import { AccountChanges } from '../accounts/account-changes';
import { LastAdministratorError } from '../auth.errors';
import { Revocations } from '../credentials/revocations';
import { Cursors, type Page } from '../cursors';
import type { UserEntity } from '../entities/user.entity';
import { noSuch, ownedId } from '../guard/owned-id';
import { type AccountFilter, AccountsRepository } from './accounts.repository';
import { InvitesRepository } from './invites.repository';

const LIST = 'users';
const USER = { prefix: 'usr', name: 'user' } as const;

/** Left out: as it is. */
export interface UserPatch {
  readonly name?: string;
  readonly role?: Role;
  readonly isDisabled?: boolean;
}

/** What administrators do to the accounts of others. Every act is audited in the transaction that does it. */
@Injectable()
export class UsersService {
  constructor(
    private readonly accounts: AccountsRepository,
    private readonly changes: AccountChanges,
    private readonly invites: InvitesRepository,
    private readonly revocations: Revocations,
    private readonly cursors: Cursors,
    private readonly audit: AuditSink,
  ) {}

  async list(
    ctx: RequestContext,
    filter: AccountFilter,
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<Page<UserEntity>> {
    const beforeId = this.cursors.decode<string>(ctx, LIST, page.cursor);
    const rows = await this.accounts.list(ctx, filter, page.limit + 1, beforeId);
    return this.cursors.page(ctx, LIST, { rows, limit: page.limit, positionOf: ({ id }) => id });
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, apiId: string): Promise<UserEntity> {
    const user = await this.accounts.find(ctx, ownedId(USER, apiId));
    if (!user) throw noSuch(USER);
    return user;
  }

  /**
   * Disabling ends every session and API key of the user for good; enabling brings none back. Invites end with the
   * administrator who made them, whether demoted, disabled or deleted.
   * @throws NotFoundError
   * @throws ForbiddenError when an administrator would change the own role.
   * @throws LastAdministratorError when nobody could administer any more.
   */
  update(ctx: RequestContext, apiId: string, patch: UserPatch): Promise<UserEntity> {
    return this.revocations.transaction(async (manager, announce) => {
      const user = await this.locked(ctx, manager, apiId);
      const before = shown(user);
      apply(user, patch);
      const after = shown(user);
      const changed = Object.keys(after).filter((field) => after[field] !== before[field]);
      if (changed.length === 0) return user;
      if (changed.includes('role') && user.id === ctx.principal.userId) {
        throw new ForbiddenError('Nobody can change their own role. Ask another administrator.');
      }
      const staysAdministrator = user.role === 'admin' && !user.disabledAt;
      if (before.role === 'admin' && !before.isDisabled && !staysAdministrator) {
        await this.refuseLastAdministrator(manager, user.id);
        await this.invites.revokeAllOf(manager, user.id);
      }
      await this.accounts.update(manager, user);
      if (changed.includes('isDisabled') && user.disabledAt) {
        await this.changes.revokeEverything(manager, user.id);
      }
      const entry = { action: 'user.update', resourceId: apiId, before, after };
      await this.audit.record(ctx, entry, manager);
      await announce({ userId: user.id });
      return user;
    });
  }

  /**
   * The account, its sessions, its keys and its open invites are gone; usage lines and audit entries stay.
   * @throws NotFoundError
   * @throws LastAdministratorError when nobody could administer any more.
   */
  async remove(ctx: RequestContext, apiId: string): Promise<void> {
    await this.revocations.transaction(async (manager, announce) => {
      const user = await this.locked(ctx, manager, apiId);
      if (user.role === 'admin' && !user.disabledAt) await this.refuseLastAdministrator(manager, user.id);
      await this.invites.revokeAllOf(manager, user.id);
      await this.accounts.remove(manager, user.id);
      const entry = { action: 'user.delete', resourceId: apiId, before: shown(user) };
      await this.audit.record(ctx, entry, manager);
      await announce({ userId: user.id });
    });
  }

  private async locked(ctx: RequestContext, manager: EntityManager, apiId: string): Promise<UserEntity> {
    const user = await this.accounts.lock(ctx, manager, ownedId(USER, apiId));
    if (!user) throw noSuch(USER);
    return user;
  }

  private async refuseLastAdministrator(manager: EntityManager, userId: string): Promise<void> {
    if (!(await this.accounts.hasOtherAdministrator(manager, userId))) throw new LastAdministratorError();
  }
}

function apply(user: UserEntity, { name, role, isDisabled }: UserPatch): void {
  if (name !== undefined) user.name = name;
  if (role !== undefined) user.role = role;
  if (isDisabled !== undefined && isDisabled !== (user.disabledAt !== null)) {
    user.disabledAt = isDisabled ? new Date() : null;
  }
}

function shown({ email, name, role, disabledAt }: UserEntity): Record<string, unknown> {
  return { email, name, role, isDisabled: disabledAt !== null };
}
