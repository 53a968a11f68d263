import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { newId, toApiId } from '../../common/index';
import { AppConfig } from '../../config/index';
import { ACCESS_TOKEN } from './access-token';
import { signOptions } from './signed-token';

const SECONDS_PER_MINUTE = 60;

export interface AccessToken {
  readonly token: string;
  readonly expiresInSeconds: number;
}

/** Signs access tokens. They name the user and the session only: role and state are read when the token is used. */
@Injectable()
export class AccessTokenService {
  readonly expiresInSeconds: number;

  constructor(
    private readonly jwt: JwtService,
    private readonly config: AppConfig,
  ) {
    this.expiresInSeconds = config.vars.TOKEN_EXPIRY_MINUTES * SECONDS_PER_MINUTE;
  }

  async issue(userId: string, sessionId: string): Promise<AccessToken> {
    const token = await this.jwt.signAsync(
      { token_type: ACCESS_TOKEN.type, sid: sessionId },
      {
        ...signOptions(this.config.keys, ACCESS_TOKEN),
        subject: toApiId('usr', userId),
        jwtid: newId(),
        expiresIn: this.expiresInSeconds,
      },
    );
    return { token, expiresInSeconds: this.expiresInSeconds };
  }
}
