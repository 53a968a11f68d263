import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId, type Role } from '../../common/index';
import type { UserEntity } from '../entities/user.entity';

/** So that a session cannot fill the table. */
export const EXCHANGES_PER_MINUTE = 60;

/** A refresh token that is about to be handed out. */
export interface NewRefreshToken {
  readonly tokenHash: string;
  readonly lifetimeMs: number;
}

/** Where a refresh token stands, by the clock of the database. */
export interface RefreshTokenState {
  readonly userId: string;
  readonly sessionId: string;
  readonly role: Role;
  /** Neither expired nor of a session that was revoked. */
  readonly isValid: boolean;
  /** Milliseconds since it was exchanged; null: it was not. */
  readonly usedMsAgo: number | null;
  /** Milliseconds until the session may have another exchange; 0: it may now. */
  readonly fullForMs: number;
}

export type FoundToken = Pick<RefreshTokenState, 'usedMsAgo'> & Pick<NewRefreshToken, 'tokenHash'>;

const LIFE = `now() + $1 * interval '1 millisecond'`;

const LOCK_USER = `
  select 1 from users where id = $1 and password_hash = $2 and disabled_at is null for share`;
const START = `insert into login_sessions (expires_at, id, user_id) values (${LIFE}, $2, $3)`;
const ADD_TOKEN = `
  insert into refresh_tokens (expires_at, id, user_id, family_id, token_hash) values (${LIFE}, $2, $3, $4, $5)`;
const LOCK_SESSION = `
  select id from login_sessions where id = (select family_id from refresh_tokens where token_hash = $1) for update`;
const USED_MS_AGO = `(extract(epoch from clock_timestamp() - t.used_at) * 1000)::float8 as "usedMsAgo"`;
const READ_TOKEN = `
  select s.user_id as "userId", s.id as "sessionId", u.role,
    s.revoked_at is null and t.expires_at > now() as "isValid",
    ${USED_MS_AGO},
    case when s.exchanges < ${EXCHANGES_PER_MINUTE} then 0
      else greatest(0, extract(epoch from s.exchanges_since + interval '1 minute' - now()) * 1000) end::float8 as "fullForMs"
  from refresh_tokens t join login_sessions s on s.id = t.family_id join users u on u.id = s.user_id
  where t.token_hash = $1`;
const USE_TOKEN = 'update refresh_tokens set used_at = clock_timestamp() where token_hash = $1';
const IS_SAME_MINUTE = `exchanges_since > now() - interval '1 minute'`;
const PROLONG = `
  update login_sessions set expires_at = ${LIFE},
    exchanges = case when ${IS_SAME_MINUTE} then exchanges + 1 else 1 end,
    exchanges_since = case when ${IS_SAME_MINUTE} then exchanges_since else now() end
  where id = $2`;
const FIND_IN_SESSION = `
  select t.token_hash as "tokenHash", ${USED_MS_AGO} from refresh_tokens t
  where t.family_id = $1 and t.token_hash = any ($2)`;
/** Sessions are locked in the order of their ids, so that no two callers wait for each other. */
const REVOKE = `
  with mine as (
    select id from login_sessions
    where user_id = $1 and revoked_at is null
      and (id = $2 or id = (select family_id from refresh_tokens where token_hash = $3))
    order by id for update)
  update login_sessions s set revoked_at = now() from mine where s.id = mine.id returning s.id`;
const REVOKE_ALL = `
  with mine as (
    select id from login_sessions
    where user_id = $1 and revoked_at is null and ($2::uuid is null or id <> $2)
    order by id for update)
  update login_sessions s set revoked_at = now() from mine where s.id = mine.id`;
const REVOKE_ACCESS_TOKEN = `
  insert into revoked_tokens (token_id, expires_at) values ($1, now() + $2 * interval '1 second')
  on conflict do nothing`;

/** Login sessions and the refresh tokens that keep them going. Every method is part of the caller's transaction. */
@Injectable()
export class LoginSessionsRepository {
  /**
   * Starts a session, as long as the account is what the login was checked against. The session's id; undefined when
   * the user was disabled or deleted or changed the password meanwhile.
   */
  async start(manager: EntityManager, user: UserEntity, token: NewRefreshToken): Promise<string | undefined> {
    const found: unknown[] = await manager.query(LOCK_USER, [user.id, user.passwordHash]);
    if (found.length === 0) return undefined;
    const sessionId = newId();
    await manager.query(START, [token.lifetimeMs, sessionId, user.id]);
    await this.addToken(manager, { userId: user.id, sessionId }, token);
    return sessionId;
  }

  /** Holds the token's session until the transaction ends, so that every use of it sees the one before. */
  async lock(manager: EntityManager, tokenHash: string): Promise<RefreshTokenState | undefined> {
    const locked: unknown[] = await manager.query(LOCK_SESSION, [tokenHash]);
    if (locked.length === 0) return undefined;
    const [state] = await manager.query<RefreshTokenState[]>(READ_TOKEN, [tokenHash]);
    return state;
  }

  async exchange(
    manager: EntityManager,
    state: RefreshTokenState,
    tokenHash: string,
    successor: NewRefreshToken,
  ): Promise<void> {
    await manager.query(USE_TOKEN, [tokenHash]);
    await this.addToken(manager, state, successor);
    await manager.query(PROLONG, [successor.lifetimeMs, state.sessionId]);
  }

  /** The one of these digests that is a token of the session. */
  async findInSession(
    manager: EntityManager,
    sessionId: string,
    tokenHashes: readonly string[],
  ): Promise<FoundToken | undefined> {
    const [row] = await manager.query<FoundToken[]>(FIND_IN_SESSION, [sessionId, tokenHashes]);
    return row;
  }

  /** A session of the user, and the one that a refresh token belongs to if it is the user's too; their ids. */
  async revoke(
    manager: EntityManager,
    userId: string,
    sessionId: string,
    tokenHash?: string,
  ): Promise<readonly string[]> {
    const parameters = [userId, sessionId, tokenHash ?? null];
    const [rows] = await manager.query<[{ id: string }[], number]>(REVOKE, parameters);
    return rows.map(({ id }) => id);
  }

  async revokeAll(manager: EntityManager, userId: string, exceptSessionId?: string): Promise<void> {
    await manager.query(REVOKE_ALL, [userId, exceptSessionId ?? null]);
  }

  async revokeAccessToken(manager: EntityManager, tokenId: string, lifetimeSeconds: number): Promise<void> {
    await manager.query(REVOKE_ACCESS_TOKEN, [tokenId, lifetimeSeconds]);
  }

  private async addToken(
    manager: EntityManager,
    { userId, sessionId }: Pick<RefreshTokenState, 'userId' | 'sessionId'>,
    { lifetimeMs, tokenHash }: NewRefreshToken,
  ): Promise<void> {
    await manager.query(ADD_TOKEN, [lifetimeMs, newId(), userId, sessionId, tokenHash]);
  }
}
