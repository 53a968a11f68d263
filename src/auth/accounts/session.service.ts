import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/index';
import { AccessTokenService } from '../credentials/access-token.service';
import { digestOf, newSecretToken, REFRESH_TOKEN_PREFIX } from '../credentials/secret-token';
import { InvalidRefreshTokenError } from '../auth.errors';
import type { UserEntity } from '../entities/user.entity';
import { type NewRefreshToken, RefreshTokensRepository } from './refresh-tokens.repository';
import { UsersRepository } from './users.repository';

const DAY_MS = 86_400_000;

/** What a login hands out. The refresh token is shown here only; its digest is stored. */
export interface Session {
  readonly user: UserEntity;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Of the access token. */
  readonly expiresInSeconds: number;
}

/** Opens sessions and keeps them going: a short access token and a refresh token that is exchanged at every use. */
@Injectable()
export class SessionService {
  private readonly refreshLifetimeMs: number;

  constructor(
    config: AppConfig,
    private readonly users: UsersRepository,
    private readonly accessTokens: AccessTokenService,
    private readonly refreshTokens: RefreshTokensRepository,
  ) {
    this.refreshLifetimeMs = config.vars.REFRESH_TOKEN_EXPIRY_DAYS * DAY_MS;
  }

  async open(user: UserEntity): Promise<Session> {
    const refreshToken = newSecretToken(REFRESH_TOKEN_PREFIX);
    await this.refreshTokens.start(user.id, this.stored(refreshToken));
    return this.session(user, refreshToken);
  }

  /** @throws InvalidRefreshTokenError when the token is unknown, used, expired or its user is disabled. */
  async refresh(token: string): Promise<Session> {
    const refreshToken = newSecretToken(REFRESH_TOKEN_PREFIX);
    const userId = await this.refreshTokens.rotate(digestOf(token), this.stored(refreshToken));
    const user = userId === undefined ? undefined : await this.users.findActive(userId);
    if (!user) throw new InvalidRefreshTokenError();
    return this.session(user, refreshToken);
  }

  private stored(refreshToken: string): NewRefreshToken {
    return {
      tokenHash: digestOf(refreshToken),
      expiresAt: new Date(Date.now() + this.refreshLifetimeMs),
    };
  }

  private async session(user: UserEntity, refreshToken: string): Promise<Session> {
    const { token, expiresInSeconds } = await this.accessTokens.issue(user.id);
    return { user, accessToken: token, refreshToken, expiresInSeconds };
  }
}
