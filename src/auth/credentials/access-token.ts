/** What an access token says, shared by the side that signs and the side that verifies. */
import { fromApiId, isJsonObject } from '../../common/index';

export const ISSUER = 'lattice';
export const AUDIENCE = 'lattice-api';
export const ALGORITHM = 'HS256';
export const TOKEN_TYPE = 'access';
export const KEY_PURPOSE = 'access-token/v1';
/** How far the clocks of two nodes may differ. */
export const CLOCK_TOLERANCE_SECONDS = 5;

export interface AccessTokenClaims {
  /** UUID. */
  readonly userId: string;
  readonly tokenId: string;
  readonly expiresAtMs: number;
}

/** The claims of a payload whose signature, times, issuer and audience are already checked. */
export function readClaims(payload: unknown): AccessTokenClaims | undefined {
  if (!isJsonObject(payload)) return undefined;
  const { sub, jti, exp, token_type: type } = payload;
  if (type !== TOKEN_TYPE || typeof sub !== 'string' || typeof jti !== 'string' || typeof exp !== 'number') {
    return undefined;
  }
  const userId = fromApiId('usr', sub);
  return userId === undefined ? undefined : { userId, tokenId: jti, expiresAtMs: exp * 1000 };
}
