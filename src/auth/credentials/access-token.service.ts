import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { newId, toApiId } from '../../common/index';
import { AppConfig } from '../../config/index';
import { ALGORITHM, AUDIENCE, ISSUER, KEY_PURPOSE, TOKEN_TYPE } from './access-token';

const SECONDS_PER_MINUTE = 60;

export interface AccessToken {
  readonly token: string;
  readonly expiresInSeconds: number;
}

/** Signs access tokens. They name the user only: role and state are read when the token is used. */
@Injectable()
export class AccessTokenService {
  private readonly expiresInSeconds: number;
  private readonly key: Buffer;

  constructor(
    private readonly jwt: JwtService,
    config: AppConfig,
  ) {
    this.expiresInSeconds = config.vars.TOKEN_EXPIRY_MINUTES * SECONDS_PER_MINUTE;
    this.key = config.keys.current(KEY_PURPOSE).key;
  }

  async issue(userId: string): Promise<AccessToken> {
    const token = await this.jwt.signAsync(
      { token_type: TOKEN_TYPE },
      {
        secret: this.key,
        algorithm: ALGORITHM,
        issuer: ISSUER,
        audience: AUDIENCE,
        subject: toApiId('usr', userId),
        jwtid: newId(),
        expiresIn: this.expiresInSeconds,
      },
    );
    return { token, expiresInSeconds: this.expiresInSeconds };
  }
}
