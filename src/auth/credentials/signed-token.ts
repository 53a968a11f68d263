/** What all our signed tokens have in common. Each kind has an audience, a type and a key of its own. */
import type { JwtSignOptions, JwtVerifyOptions } from '@nestjs/jwt';
import { isJsonObject } from '../../common/index';
import type { KeyRing } from '../../config/index';

export const ISSUER = 'lattice';
export const ALGORITHM = 'HS256';
/** How far the clocks of two nodes may differ. */
export const CLOCK_TOLERANCE_SECONDS = 5;

export interface TokenKind {
  /** The claim `token_type`. */
  readonly type: string;
  readonly audience: string;
  readonly keyPurpose: string;
}

/** Signs with the current key; the header's `kid` says which one that was. */
export function signOptions(keys: KeyRing, { audience, keyPurpose }: TokenKind): JwtSignOptions {
  const { id, key } = keys.current(keyPurpose);
  return { secret: key, keyid: id, algorithm: ALGORITHM, issuer: ISSUER, audience };
}

/** Undefined: no key of ours has signed this. */
export function verifyOptions(keys: KeyRing, kind: TokenKind, token: string): JwtVerifyOptions | undefined {
  const secret = verifyingKey(keys, kind, token);
  if (!secret) return undefined;
  return {
    secret,
    algorithms: [ALGORITHM],
    issuer: ISSUER,
    audience: kind.audience,
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
  };
}

/** The key that the header names, the current one when it names none; undefined when it names one that is not ours. */
export function verifyingKey(keys: KeyRing, { keyPurpose }: TokenKind, token: string): Buffer | undefined {
  const header = headerOf(token);
  if (!header) return undefined;
  if (!('kid' in header)) return keys.current(keyPurpose).key;
  return typeof header.kid === 'string' ? keys.find(keyPurpose, header.kid)?.key : undefined;
}

function headerOf(token: string): Record<string, unknown> | undefined {
  const [head = ''] = token.split('.', 1);
  try {
    const header: unknown = JSON.parse(Buffer.from(head, 'base64url').toString('utf8'));
    return isJsonObject(header) ? header : undefined;
  } catch {
    return undefined;
  }
}
