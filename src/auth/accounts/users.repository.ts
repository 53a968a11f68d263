import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, IsNull, Repository } from 'typeorm';
import { newId, type RequestContext, type Role } from '../../common/index';
import { NotFoundError } from '../../errors/index';
import { UserEntity } from '../entities/user.entity';

export interface NewUser {
  /** Lower-case. */
  readonly email: string;
  readonly name: string;
  readonly passwordHash: string;
}

/** What decides on a new user, and what happens with it, all in the transaction that adds it. */
export interface Admission {
  /** No role: nobody is added. */
  roleOf(isFirst: boolean, manager: EntityManager): Promise<Role | undefined> | Role | undefined;
  added?(user: UserEntity, manager: EntityManager): Promise<void>;
}

/** An access token that has to be good as well. UUIDs. */
export interface TokenIdentity {
  readonly tokenId: string;
  readonly sessionId: string;
}

/** Any number that nothing else locks; the same on every node. */
const FIRST_USER_LOCK = 7_310_001;

const IS_TOKEN_GOOD = `
  exists (select 1 from login_sessions s where s.id = :sessionId and s.user_id = "user".id and s.revoked_at is null)
  and not exists (select 1 from revoked_tokens t where t.token_id = :tokenId)`;

@Injectable()
export class UsersRepository {
  constructor(@InjectRepository(UserEntity) private readonly users: Repository<UserEntity>) {}

  hasAny(): Promise<boolean> {
    return exists(this.users.manager);
  }

  async findByEmail(email: string): Promise<UserEntity | undefined> {
    return (await this.users.findOneBy({ email })) ?? undefined;
  }

  /** A user who exists and is not disabled and, when a token is named, only while neither it nor its session is revoked. */
  async findActive(userId: string, token?: TokenIdentity): Promise<UserEntity | undefined> {
    if (!token) return (await this.users.findOneBy({ id: userId, disabledAt: IsNull() })) ?? undefined;
    const { tokenId, sessionId } = token;
    const query = this.users
      .createQueryBuilder('user')
      .where({ id: userId, disabledAt: IsNull() })
      .andWhere(IS_TOKEN_GOOD, { tokenId, sessionId });
    return (await query.getOne()) ?? undefined;
  }

  /** @throws NotFoundError when the caller's account was deleted meanwhile. */
  async getSelf(ctx: RequestContext): Promise<UserEntity> {
    const user = await this.findActive(ctx.principal.userId);
    if (!user) throw new NotFoundError('This account does not exist any more.');
    return user;
  }

  /** @throws NotFoundError when the caller's account was deleted meanwhile. */
  async renameSelf(ctx: RequestContext, name: string): Promise<UserEntity> {
    await this.users.update({ id: ctx.principal.userId, disabledAt: IsNull() }, { name });
    return this.getSelf(ctx);
  }

  /**
   * Adds a user, or nobody when the address is taken or there is no role for it. The admission is told whether this is
   * the very first user, which is true for exactly one of any number of simultaneous calls on any number of nodes.
   */
  add(user: NewUser, admission: Admission): Promise<UserEntity | undefined> {
    return this.users.manager.transaction(async (manager) => {
      const role = await admission.roleOf(await isFirst(manager), manager);
      if (!role) return undefined;
      const entity = manager.create(UserEntity, { ...user, id: newId(), role, disabledAt: null });
      const insert = manager.createQueryBuilder().insert().into(UserEntity).values(entity).orIgnore();
      const { raw } = await insert.execute();
      if ((raw as readonly unknown[]).length === 0) return undefined;
      await admission.added?.(entity, manager);
      return entity;
    });
  }
}

/** The lock is taken only while there is nobody, and kept until the transaction ends. */
async function isFirst(manager: EntityManager): Promise<boolean> {
  if (await exists(manager)) return false;
  await manager.query('select pg_advisory_xact_lock($1)', [FIRST_USER_LOCK]);
  return !(await exists(manager));
}

function exists(manager: EntityManager): Promise<boolean> {
  return manager.exists(UserEntity);
}
