import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-jwt';
import { AppConfig } from '../../config/index';
import { ACCESS_TOKEN, type AccessTokenClaims, readClaims } from './access-token';
import { ALGORITHM, CLOCK_TOLERANCE_SECONDS, ISSUER, verifyingKey } from './signed-token';

interface TokenCarrier {
  readonly token: string;
}

type SecretCallback = (error: Error | null, key?: Buffer) => void;

/** Verifies access tokens. Takes the bare token, so that it serves every transport. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'lattice-access-token') {
  constructor(config: AppConfig) {
    super({
      jwtFromRequest: (carrier: unknown) => (carrier as TokenCarrier).token,
      secretOrKeyProvider: (_carrier: unknown, token: unknown, done: SecretCallback) => {
        const key = verifyingKey(config.keys, ACCESS_TOKEN, String(token));
        if (key) done(null, key);
        else done(new Error('No key of ours has signed this'));
      },
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: ACCESS_TOKEN.audience,
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
