import { Injectable } from '@nestjs/common';
import type { RequestContext } from '../../common/index';
import { ForbiddenError } from '../../errors/index';
import { InvalidCredentialsError, InvalidRefreshTokenError } from '../auth.errors';
import { AccessTokenService } from '../credentials/access-token.service';
import { Revocations } from '../credentials/revocations';
import { digestOf, newSecretToken, REFRESH_TOKEN_PREFIX } from '../credentials/secret-token';
import { CLOCK_TOLERANCE_SECONDS } from '../credentials/signed-token';
import type { UserEntity } from '../entities/user.entity';
import { LoginSessionsRepository } from './login-sessions.repository';
import { TokenExchange } from './token-exchange.service';
import { UsersRepository } from './users.repository';
import type { VisitorContext } from './visitor';

/** What a login hands out. The refresh token is shown here only; its digest is stored. */
export interface Session {
  readonly user: UserEntity;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Of the access token. */
  readonly expiresInSeconds: number;
}

/**
 * Opens sessions, keeps them going and ends them: a short access token and a refresh token that is exchanged at every
 * use.
 */
@Injectable()
export class SessionService {
  constructor(
    private readonly users: UsersRepository,
    private readonly accessTokens: AccessTokenService,
    private readonly sessions: LoginSessionsRepository,
    private readonly tokens: TokenExchange,
    private readonly revocations: Revocations,
  ) {}

  /** @throws InvalidCredentialsError when the account was disabled or its password changed since the login was checked. */
  async open(user: UserEntity): Promise<Session> {
    const refreshToken = newSecretToken(REFRESH_TOKEN_PREFIX);
    const sessionId = await this.revocations.transaction((manager) =>
      this.sessions.start(manager, user, this.tokens.stored(refreshToken)),
    );
    if (sessionId === undefined) throw new InvalidCredentialsError();
    return this.session(user, sessionId, refreshToken);
  }

  /**
   * @throws InvalidRefreshTokenError when the token is unknown, used, expired or its user is disabled.
   * @throws RateLimitedError
   */
  async refresh(visitor: VisitorContext, token: string): Promise<Session> {
    const exchanged = await this.tokens.exchange(visitor, token);
    const user = exchanged && (await this.users.findActive(exchanged.userId));
    if (!user) throw new InvalidRefreshTokenError();
    return this.session(user, exchanged.sessionId, exchanged.refreshToken);
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

  private async session(user: UserEntity, sessionId: string, refreshToken: string): Promise<Session> {
    const { token, expiresInSeconds } = await this.accessTokens.issue(user.id, sessionId);
    return { user, accessToken: token, refreshToken, expiresInSeconds };
  }
}
