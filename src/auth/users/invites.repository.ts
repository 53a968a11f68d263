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

/** Invites belong to the installation: only administrators see them. */
@Injectable()
export class InvitesRepository {
  constructor(@InjectRepository(InviteEntity) private readonly invites: Repository<InviteEntity>) {}

  async add(_ctx: RequestContext, manager: EntityManager, invite: NewInvite): Promise<InviteEntity> {
    const id = newId();
    await manager.insert(InviteEntity, { ...invite, id, usedAt: null, revokedAt: null });
    return manager.findOneByOrFail(InviteEntity, { id });
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

  /** The invite of this token if this address may still use it; held until the transaction ends. */
  async lockUsable(manager: EntityManager, token: string, email: string): Promise<InviteEntity | undefined> {
    const invite = await manager.findOne(InviteEntity, {
      where: {
        tokenHash: digestOf(token),
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
