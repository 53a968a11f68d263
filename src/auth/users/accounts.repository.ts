import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { RequestContext, Role } from '../../common/index';
import { UserEntity } from '../entities/user.entity';

export interface AccountFilter {
  readonly role?: Role;
  readonly isDisabled?: boolean;
  /** Part of the address, in any case. */
  readonly email?: string;
}

/** Any number that nothing else locks; the same on every node. */
const ADMINISTRATORS_LOCK = 7_310_002;

/** Sessions before their tokens, in the order of their ids, as everybody locks them. */
const REMOVE_SESSIONS = `
  with mine as (select id from login_sessions where user_id = $1 order by id for update)
  delete from login_sessions s using mine where s.id = mine.id`;

/** Everybody's accounts, for administrators only: their routes see to that. */
@Injectable()
export class AccountsRepository {
  constructor(private readonly database: DataSource) {}

  /** Newest first, those before `beforeId` only. */
  list(
    _ctx: RequestContext,
    { role, isDisabled, email }: AccountFilter,
    limit: number,
    beforeId?: string,
  ): Promise<UserEntity[]> {
    const query = this.database.createQueryBuilder(UserEntity, 'u').orderBy('u.id', 'DESC').take(limit);
    if (beforeId !== undefined) query.andWhere('u.id < :beforeId', { beforeId });
    if (role !== undefined) query.andWhere('u.role = :role', { role });
    if (isDisabled !== undefined) query.andWhere(`u.disabled_at is ${isDisabled ? 'not null' : 'null'}`);
    if (email !== undefined) query.andWhere('strpos(u.email, lower(:email)) > 0', { email });
    return query.getMany();
  }

  async find(_ctx: RequestContext, id: string): Promise<UserEntity | undefined> {
    return (await this.database.manager.findOneBy(UserEntity, { id })) ?? undefined;
  }

  /**
   * The account, held until the transaction ends. Logins, new keys and invites hold it FOR SHARE while they are made,
   * which waits for this lock and is waited for by it: what comes before is there to be revoked, what comes after finds
   * the account as it is then. A foreign key alone would not do: its FOR KEY SHARE passes this lock. Only one caller at
   * a time gets this far, so that two administrators cannot take each other away.
   */
  async lock(_ctx: RequestContext, manager: EntityManager, id: string): Promise<UserEntity | undefined> {
    await manager.query('select pg_advisory_xact_lock($1)', [ADMINISTRATORS_LOCK]);
    const lock = { mode: 'for_no_key_update' } as const;
    return (await manager.findOne(UserEntity, { where: { id }, lock })) ?? undefined;
  }

  /** Is there an active administrator but this one? */
  async hasOtherAdministrator(manager: EntityManager, id: string): Promise<boolean> {
    const rows: unknown[] = await manager.query(
      `select 1 from users where role = 'admin' and disabled_at is null and id <> $1 limit 1`,
      [id],
    );
    return rows.length > 0;
  }

  async update(manager: EntityManager, { id, name, role, disabledAt }: UserEntity): Promise<void> {
    await manager.update(UserEntity, { id }, { name, role, disabledAt });
  }

  async remove(manager: EntityManager, id: string): Promise<void> {
    await manager.query(REMOVE_SESSIONS, [id]);
    await manager.delete(UserEntity, { id });
  }
}
