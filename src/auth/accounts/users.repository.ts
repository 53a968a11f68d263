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

/** Any number that nothing else locks; the same on every node. */
const FIRST_USER_LOCK = 7_310_001;

@Injectable()
export class UsersRepository {
  constructor(@InjectRepository(UserEntity) private readonly users: Repository<UserEntity>) {}

  hasAny(): Promise<boolean> {
    return exists(this.users.manager);
  }

  async findByEmail(email: string): Promise<UserEntity | undefined> {
    return (await this.users.findOneBy({ email })) ?? undefined;
  }

  /** A user who exists and is not disabled. */
  async findActive(userId: string): Promise<UserEntity | undefined> {
    return (await this.users.findOneBy({ id: userId, disabledAt: IsNull() })) ?? undefined;
  }

  /** @throws NotFoundError when the caller's account was deleted meanwhile. */
  async getSelf(ctx: RequestContext): Promise<UserEntity> {
    const user = await this.findActive(ctx.principal.userId);
    if (!user) throw new NotFoundError('This account does not exist any more.');
    return user;
  }

  /**
   * Adds a user, or nobody when the address is taken or `roleOf` gives no role. `roleOf` is told whether this is the
   * very first user, which is true for exactly one of any number of simultaneous calls on any number of nodes.
   */
  add(user: NewUser, roleOf: (isFirst: boolean) => Role | undefined): Promise<UserEntity | undefined> {
    return this.users.manager.transaction(async (manager) => {
      const role = roleOf(await isFirst(manager));
      if (!role) return undefined;
      const entity = manager.create(UserEntity, { ...user, id: newId(), role, disabledAt: null });
      const insert = manager.createQueryBuilder().insert().into(UserEntity).values(entity).orIgnore();
      const { raw } = await insert.execute();
      return (raw as readonly unknown[]).length > 0 ? entity : undefined;
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
