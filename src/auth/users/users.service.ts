import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { fromApiId, type RequestContext, type Role } from '../../common/index';
import { AuditSink, ForbiddenError, NotFoundError } from '../../errors/index';
import { AccountChanges } from '../accounts/account-changes';
import { LastAdministratorError } from '../auth.errors';
import { Revocations } from '../credentials/revocations';
import { Cursors } from '../cursors';
import type { UserEntity } from '../entities/user.entity';
import { type AccountFilter, AccountsRepository } from './accounts.repository';
import { InvitesRepository } from './invites.repository';

const LIST = 'users';

export interface UserPage {
  readonly items: readonly UserEntity[];
  readonly nextCursor: string | null;
}

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
  ): Promise<UserPage> {
    const beforeId = this.cursors.decode<string>(ctx, LIST, page.cursor);
    const rows = await this.accounts.list(ctx, filter, page.limit + 1, beforeId);
    return this.cursors.page(ctx, LIST, { rows, limit: page.limit, positionOf: ({ id }) => id });
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, apiId: string): Promise<UserEntity> {
    const id = fromApiId('usr', apiId);
    const user = id === undefined ? undefined : await this.accounts.find(ctx, id);
    return user ?? missing();
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
      const saved = await this.accounts.save(manager, user);
      if (changed.includes('isDisabled') && user.disabledAt) {
        await this.changes.revokeEverything(manager, announce, user.id);
      }
      const entry = { action: 'user.update', resourceId: apiId, before, after };
      await this.audit.record(ctx, entry, manager);
      await announce({ userId: user.id });
      return saved;
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
      await this.changes.revokeEverything(manager, announce, user.id);
      await this.invites.revokeAllOf(manager, user.id);
      await this.accounts.remove(manager, user.id);
      await this.audit.record(
        ctx,
        { action: 'user.delete', resourceId: apiId, before: shown(user) },
        manager,
      );
    });
  }

  private async locked(ctx: RequestContext, manager: EntityManager, apiId: string): Promise<UserEntity> {
    const id = fromApiId('usr', apiId);
    const user = id === undefined ? undefined : await this.accounts.lock(ctx, manager, id);
    return user ?? missing();
  }

  private async refuseLastAdministrator(manager: EntityManager, userId: string): Promise<void> {
    if (!(await this.accounts.hasOtherAdministrator(manager, userId))) throw new LastAdministratorError();
  }
}

function missing(): never {
  throw new NotFoundError('There is no such user.', { param: 'id' });
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
