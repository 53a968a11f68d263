/** What an access token says, shared by the side that signs and the side that verifies. */
import { fromApiId, isJsonObject } from '../../common/index';
import type { TokenKind } from './signed-token';

export const ACCESS_TOKEN: TokenKind = {
  type: 'access',
  audience: 'lattice-api',
  keyPurpose: 'access-token/v1',
};

export interface AccessTokenClaims {
  /** UUID. */
  readonly userId: string;
  /** `jti`, a UUID. */
  readonly tokenId: string;
  /** `sid`, the UUID of the login session. */
  readonly sessionId: string;
  readonly expiresAtMs: number;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The claims of a payload whose signature, times, issuer and audience are already checked. */
export function readClaims(payload: unknown): AccessTokenClaims | undefined {
  if (!isJsonObject(payload)) return undefined;
  const { sub, jti, sid, exp, token_type: type } = payload;
  if (type !== ACCESS_TOKEN.type || typeof sub !== 'string' || typeof exp !== 'number') return undefined;
  const userId = fromApiId('usr', sub);
  if (userId === undefined || !isUuid(jti) || !isUuid(sid)) return undefined;
  return { userId, tokenId: jti, sessionId: sid, expiresAtMs: exp * 1000 };
}

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}
