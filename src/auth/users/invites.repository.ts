import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, LessThan, MoreThan, IsNull, Repository } from 'typeorm';
import { newId, type RequestContext, type Role } from '../../common/index';
import { digestOf } from '../credentials/secret-token';
import { InviteEntity } from '../entities/invite.entity';

export interface NewInvite {
  readonly tokenHash: string;
  /** Lower-case; null: for any address. */
  readonly email: string | null;
  readonly role: Role;
  readonly expiresAt: Date;
}

/** Waits for whoever changes the account, and lets nobody change it until the transaction ends. */
const IS_ADMINISTRATOR = `role = 'admin' and disabled_at is null for share`;
const LOCK_ADMINISTRATOR = `select 1 from users where id = $1 and ${IS_ADMINISTRATOR}`;
const LOCK_MAKER = `
  select 1 from users where id = (select created_by from invites where token_hash = $1) and ${IS_ADMINISTRATOR}`;
const REVOKE_OF = `
  update invites set revoked_at = now() where created_by = $1 and used_at is null and revoked_at is null`;

/**
 * Invites belong to the installation: only administrators see them. Whoever locks an invite and a user locks the user
 * first.
 */
@Injectable()
export class InvitesRepository {
  constructor(@InjectRepository(InviteEntity) private readonly invites: Repository<InviteEntity>) {}

  /** Undefined when the caller is no active administrator any more. */
  async add(
    { principal }: RequestContext,
    manager: EntityManager,
    invite: NewInvite,
  ): Promise<InviteEntity | undefined> {
    if (!(await isFound(manager, LOCK_ADMINISTRATOR, principal.userId))) return undefined;
    const unused = { createdBy: principal.userId, usedAt: null, revokedAt: null };
    const entity = manager.create(InviteEntity, { ...invite, ...unused, id: newId() });
    await manager.insert(InviteEntity, entity);
    return entity;
  }

  /** Newest first, those before `beforeId` only. */
  list(_ctx: RequestContext, limit: number, beforeId?: string): Promise<InviteEntity[]> {
    const where = beforeId === undefined ? {} : { id: LessThan(beforeId) };
    return this.invites.find({ where, order: { id: 'DESC' }, take: limit });
  }

  /** The invite as it was; undefined when there is none that could still be used. */
  async revoke(_ctx: RequestContext, manager: EntityManager, id: string): Promise<InviteEntity | undefined> {
    const unused = { id, usedAt: IsNull(), revokedAt: IsNull() };
    const { affected } = await manager.update(InviteEntity, unused, { revokedAt: () => 'now()' });
    return affected === 1 ? manager.findOneByOrFail(InviteEntity, { id }) : undefined;
  }

  /** Ends what somebody made who may not invite any more. */
  async revokeAllOf(manager: EntityManager, makerId: string): Promise<void> {
    await manager.query(REVOKE_OF, [makerId]);
  }

  /**
   * The invite of this token if this address may still use it and whoever made it is an active administrator; both are
   * held until the transaction ends.
   */
  async lockUsable(manager: EntityManager, token: string, email: string): Promise<InviteEntity | undefined> {
    const tokenHash = digestOf(token);
    if (!(await isFound(manager, LOCK_MAKER, tokenHash))) return undefined;
    const invite = await manager.findOne(InviteEntity, {
      where: {
        tokenHash,
        usedAt: IsNull(),
        revokedAt: IsNull(),
        expiresAt: MoreThan(new Date()),
      },
      lock: { mode: 'pessimistic_write' },
    });
    return invite && (invite.email ?? email) === email ? invite : undefined;
  }

  async use(manager: EntityManager, id: string): Promise<void> {
    await manager.update(InviteEntity, { id }, { usedAt: () => 'now()' });
  }
}

async function isFound(manager: EntityManager, query: string, parameter: string): Promise<boolean> {
  const rows: unknown[] = await manager.query(query, [parameter]);
  return rows.length > 0;
}
