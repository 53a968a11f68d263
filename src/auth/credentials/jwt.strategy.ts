import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-jwt';
import { AppConfig } from '../../config/index';
import {
  type AccessTokenClaims,
  ALGORITHM,
  AUDIENCE,
  CLOCK_TOLERANCE_SECONDS,
  ISSUER,
  KEY_PURPOSE,
  readClaims,
} from './access-token';

interface TokenCarrier {
  readonly token: string;
}

/** Verifies access tokens. Takes the bare token, so that it serves every transport. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'lattice-access-token') {
  constructor(config: AppConfig) {
    super({
      jwtFromRequest: (carrier: unknown) => (carrier as TokenCarrier).token,
      secretOrKey: config.keys.current(KEY_PURPOSE).key,
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
      jsonWebTokenOptions: { clockTolerance: CLOCK_TOLERANCE_SECONDS },
    });
  }

  /** The claims of a token that is ours, unaltered and in time; undefined of any other text. */
  verify(token: string): Promise<AccessTokenClaims | undefined> {
    return new Promise((resolve, reject) => {
      // Passport hands the result to methods that it puts on a copy of the strategy.
      const attempt = Object.assign(Object.create(this), {
        success: resolve,
        fail: () => resolve(undefined),
        error: reject,
      }) as { authenticate(carrier: TokenCarrier): void };
      attempt.authenticate({ token });
    });
  }

  validate(payload: unknown): AccessTokenClaims | false {
    return readClaims(payload) ?? false;
  }
}
