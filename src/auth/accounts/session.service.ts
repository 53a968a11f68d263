import { Injectable } from '@nestjs/common';
import type { RequestContext } from '../../common/index';
import { AppConfig } from '../../config/index';
import { ForbiddenError } from '../../errors/index';
import { AppLogger } from '../../observability/index';
import { InvalidCredentialsError, InvalidRefreshTokenError } from '../auth.errors';
import { AccessTokenService } from '../credentials/access-token.service';
import { Revocations } from '../credentials/revocations';
import { derivedToken, digestOf, newSecretToken, REFRESH_TOKEN_PREFIX } from '../credentials/secret-token';
import { CLOCK_TOLERANCE_SECONDS } from '../credentials/signed-token';
import type { UserEntity } from '../entities/user.entity';
import { LoginSessionsRepository } from './login-sessions.repository';
import { UsersRepository } from './users.repository';

const DAY_MS = 86_400_000;
const SUCCESSOR_PURPOSE = 'refresh-token/v1';
/** For so long a used refresh token gives its successor once more: answers get lost, and browsers have several tabs. */
const GRACE_MS = 10_000;

/** What a login hands out. The refresh token is shown here only; its digest is stored. */
export interface Session {
  readonly user: UserEntity;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Of the access token. */
  readonly expiresInSeconds: number;
}

type Exchange =
  | {
      readonly outcome: 'exchanged';
      readonly userId: string;
      readonly sessionId: string;
      readonly refreshToken: string;
    }
  | { readonly outcome: 'reused'; readonly userId: string; readonly sessionId: string }
  | { readonly outcome: 'refused' };

/**
 * Opens sessions, keeps them going and ends them: a short access token and a refresh token that is exchanged at every
 * use. The successor is derived from the token it follows, so that every node gives the same one and none is stored.
 */
@Injectable()
export class SessionService {
  private readonly refreshLifetimeMs: number;

  constructor(
    private readonly config: AppConfig,
    private readonly users: UsersRepository,
    private readonly accessTokens: AccessTokenService,
    private readonly sessions: LoginSessionsRepository,
    private readonly revocations: Revocations,
    private readonly logger: AppLogger,
  ) {
    this.refreshLifetimeMs = config.vars.REFRESH_TOKEN_EXPIRY_DAYS * DAY_MS;
  }

  /** @throws InvalidCredentialsError when the account was disabled or its password changed since the login was checked. */
  async open(user: UserEntity): Promise<Session> {
    const refreshToken = newSecretToken(REFRESH_TOKEN_PREFIX);
    const sessionId = await this.revocations.transaction((manager) =>
      this.sessions.start(manager, user, this.stored(refreshToken)),
    );
    if (sessionId === undefined) throw new InvalidCredentialsError();
    return this.session(user, sessionId, refreshToken);
  }

  /**
   * Within 10 s of its use a token gives the same successor again; after that its use ends the whole session.
   * @throws InvalidRefreshTokenError when the token is unknown, used, expired or its user is disabled.
   */
  async refresh(token: string): Promise<Session> {
    const exchange = await this.exchange(token);
    if (exchange.outcome === 'reused') {
      const { userId, sessionId } = exchange;
      this.logger.event('security', {
        reason: 'A used refresh token was offered again: its session is revoked',
        userId,
        sessionId,
      });
    }
    if (exchange.outcome !== 'exchanged') throw new InvalidRefreshTokenError();
    const user = await this.users.findActive(exchange.userId);
    if (!user) throw new InvalidRefreshTokenError();
    return this.session(user, exchange.sessionId, exchange.refreshToken);
  }

  /**
   * Ends the caller's session, and that of a refresh token of the caller's if one is named.
   * @throws ForbiddenError when the caller came with an API key.
   */
  async logout(ctx: RequestContext, refreshToken?: string): Promise<void> {
    const { userId, sessionId, tokenId } = ctx.principal;
    if (sessionId === undefined || tokenId === undefined) {
      throw new ForbiddenError('An API key has no session to end. Revoke the key instead.');
    }
    const lifetimeSeconds = this.accessTokens.expiresInSeconds + CLOCK_TOLERANCE_SECONDS;
    await this.revocations.transaction(async (manager, announce) => {
      const named = refreshToken === undefined ? undefined : digestOf(refreshToken);
      const ended = await this.sessions.revoke(manager, userId, sessionId, named);
      await this.sessions.revokeAccessToken(manager, tokenId, lifetimeSeconds);
      for (const id of ended) await announce({ sessionId: id });
    });
  }

  private exchange(token: string): Promise<Exchange> {
    const tokenHash = digestOf(token);
    return this.revocations.transaction(async (manager, announce) => {
      const state = await this.sessions.lock(manager, tokenHash);
      if (!state?.isValid) return { outcome: 'refused' };
      const { userId, sessionId, usedMsAgo } = state;
      const [refreshToken = '', ...older] = this.successorsOf(token);
      if (usedMsAgo === null) {
        await this.sessions.exchange(manager, state, tokenHash, this.stored(refreshToken));
        return { outcome: 'exchanged', userId, sessionId, refreshToken };
      }
      if (usedMsAgo <= GRACE_MS) {
        const successors = new Map([refreshToken, ...older].map((text) => [digestOf(text), text]));
        const found = await this.sessions.findInSession(manager, sessionId, [...successors.keys()]);
        const known = found && successors.get(found);
        return known
          ? { outcome: 'exchanged', userId, sessionId, refreshToken: known }
          : { outcome: 'refused' };
      }
      await this.sessions.revoke(manager, userId, sessionId);
      await announce({ sessionId });
      return { outcome: 'reused', userId, sessionId };
    });
  }

  /** By the current secret first; by those before it, because the token may have been exchanged under one of them. */
  private successorsOf(token: string): readonly string[] {
    return this.config.keys
      .all(SUCCESSOR_PURPOSE)
      .map(({ key }) => derivedToken(REFRESH_TOKEN_PREFIX, key, token));
  }

  private stored(refreshToken: string): { readonly tokenHash: string; readonly lifetimeMs: number } {
    return { tokenHash: digestOf(refreshToken), lifetimeMs: this.refreshLifetimeMs };
  }

  private async session(user: UserEntity, sessionId: string, refreshToken: string): Promise<Session> {
    const { token, expiresInSeconds } = await this.accessTokens.issue(user.id, sessionId);
    return { user, accessToken: token, refreshToken, expiresInSeconds };
  }
}
