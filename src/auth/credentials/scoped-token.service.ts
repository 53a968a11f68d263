import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { fromApiId, isJsonObject, newId, type RequestContext, toApiId } from '../../common/index';
import { AppConfig } from '../../config/index';
import { signOptions, type TokenKind, verifyOptions } from './signed-token';

export const EVENT_TOKEN: TokenKind = {
  type: 'event-stream',
  audience: 'lattice-events',
  keyPurpose: 'event-token/v1',
};

const LIFETIME_SECONDS = 60;

export interface ScopedToken {
  readonly token: string;
  readonly expiresInSeconds: number;
}

/**
 * Short-lived tokens for one event stream, because a browser's EventSource can send no header. They may stand in a URL,
 * where access tokens are never accepted, and open nothing else.
 */
@Injectable()
export class ScopedTokenService {
  constructor(
    private readonly jwt: JwtService,
    private readonly config: AppConfig,
  ) {}

  /** @param resource what the token is for, such as `run_…`; whether the caller may see it is checked before. */
  async issue(ctx: RequestContext, resource: string): Promise<ScopedToken> {
    const token = await this.jwt.signAsync(
      { token_type: EVENT_TOKEN.type, resource },
      {
        ...signOptions(this.config.keys, EVENT_TOKEN),
        subject: toApiId('usr', ctx.principal.userId),
        jwtid: newId(),
        expiresIn: LIFETIME_SECONDS,
      },
    );
    return { token, expiresInSeconds: LIFETIME_SECONDS };
  }

  /**
   * Whom the token was given for this very resource; undefined of any other text. Says nothing of whether the user is
   * still active: the database knows.
   */
  async verify(token: string, resource: string): Promise<{ readonly userId: string } | undefined> {
    const options = verifyOptions(this.config.keys, EVENT_TOKEN, token);
    if (!options) return undefined;
    let payload: unknown;
    try {
      payload = await this.jwt.verifyAsync(token, options);
    } catch {
      return undefined;
    }
    return readScope(payload, resource);
  }
}

function readScope(payload: unknown, resource: string): { readonly userId: string } | undefined {
  if (!isJsonObject(payload)) return undefined;
  const { sub, exp, token_type: type, resource: scope } = payload;
  if (type !== EVENT_TOKEN.type || scope !== resource) return undefined;
  if (typeof sub !== 'string' || typeof exp !== 'number') return undefined;
  const userId = fromApiId('usr', sub);
  return userId === undefined ? undefined : { userId };
}
