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

/** Where an event token comes from: it is worth as much as the credential that asked for it, and as long. UUIDs. */
export type TokenOrigin =
  | { readonly userId: string; readonly keyId: string; readonly keyGeneration?: string }
  | { readonly userId: string; readonly tokenId: string; readonly sessionId: string };

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
    const { userId, keyId, keyGeneration, tokenId, sessionId } = ctx.principal;
    const origin = { key_id: keyId, key_gen: keyGeneration, origin_jti: tokenId, sid: sessionId };
    const token = await this.jwt.signAsync(
      { token_type: EVENT_TOKEN.type, resource, ...origin },
      {
        ...signOptions(this.config.keys, EVENT_TOKEN),
        subject: toApiId('usr', userId),
        jwtid: newId(),
        expiresIn: LIFETIME_SECONDS,
      },
    );
    return { token, expiresInSeconds: LIFETIME_SECONDS };
  }

  /**
   * Whom the token was given for this very resource; undefined of any other text. Says nothing of whether user, key and
   * session are still active: the database knows.
   */
  async verify(token: string, resource: string): Promise<TokenOrigin | undefined> {
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

function readScope(payload: unknown, resource: string): TokenOrigin | undefined {
  if (!isJsonObject(payload)) return undefined;
  const { sub, exp, token_type: type, resource: scope } = payload;
  if (type !== EVENT_TOKEN.type || scope !== resource) return undefined;
  if (typeof sub !== 'string' || typeof exp !== 'number') return undefined;
  const userId = fromApiId('usr', sub);
  if (userId === undefined) return undefined;
  const { key_id: keyId, key_gen: keyGeneration, origin_jti: tokenId, sid: sessionId } = payload;
  if (typeof keyId === 'string')
    return { userId, keyId, ...(typeof keyGeneration === 'string' && { keyGeneration }) };
  // Without an origin nobody could revoke it.
  if (typeof tokenId !== 'string' || typeof sessionId !== 'string') return undefined;
  return { userId, tokenId, sessionId };
}
