import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type RequestContext, toApiId } from '../../common/index';
import { AuditSink } from '../../errors/index';
import { Revocations } from '../credentials/revocations';
import type { UserEntity } from '../entities/user.entity';
import { LoginSessionsRepository } from './login-sessions.repository';

const SET_PASSWORD = `
  update users set password_hash = $3, updated_at = now()
  where id = $1 and password_hash = $2 and disabled_at is null returning id`;
const REVOKE_KEYS = 'update api_keys set revoked_at = now() where user_id = $1 and revoked_at is null';

/** Changes of an account that end credentials of it. */
@Injectable()
export class AccountChanges {
  constructor(
    private readonly revocations: Revocations,
    private readonly sessions: LoginSessionsRepository,
    private readonly audit: AuditSink,
  ) {}

  /** Ends every session but the caller's. False when the account is not as `user` says any more. */
  setPassword(ctx: RequestContext, user: UserEntity, passwordHash: string): Promise<boolean> {
    return this.revocations.transaction(async (manager, announce) => {
      const parameters = [user.id, user.passwordHash, passwordHash];
      const [rows] = await manager.query<[unknown[], number]>(SET_PASSWORD, parameters);
      if (rows.length === 0) return false;
      await this.sessions.revokeAll(manager, user.id, ctx.principal.sessionId);
      await this.audit.record(ctx, { action: 'user.password', resourceId: toApiId('usr', user.id) }, manager);
      await announce({ userId: user.id });
      return true;
    });
  }

  /** Ends every session and every API key of a user, as part of the transaction that holds the user's row. */
  async revokeEverything(manager: EntityManager, userId: string): Promise<void> {
    await this.sessions.revokeAll(manager, userId);
    await manager.query(REVOKE_KEYS, [userId]);
  }
}
