/** Opaque credentials: 256 bits behind a prefix that says what they are. Only their digest is stored. */
import { createHmac, hash, randomBytes } from 'node:crypto';

export const API_KEY_PREFIX = 'llk_';
export const REFRESH_TOKEN_PREFIX = 'llr_';
export const INVITE_TOKEN_PREFIX = 'lli_';

const SECRET_BYTES = 32;
const SHOWN_CHARACTERS = 6;
const REFRESH_TOKEN = new RegExp(`^${REFRESH_TOKEN_PREFIX}[\\w-]{43}$`);
const API_KEY = new RegExp(`^${API_KEY_PREFIX}[\\w-]{43}$`);

export function newSecretToken(prefix: string): string {
  return prefix + randomBytes(SECRET_BYTES).toString('base64url');
}

/** The token that follows from another one: as hard to guess, and the same on every node that has the key. */
export function derivedToken(prefix: string, key: Buffer, from: string): string {
  return prefix + createHmac('sha256', key).update(from).digest('base64url');
}

/** SHA-256, 64 hexadecimal digits. */
export function digestOf(credential: string): string {
  return hash('sha256', credential, 'hex');
}

export function isApiKey(credential: string): boolean {
  return API_KEY.test(credential);
}

export function isRefreshToken(credential: string): boolean {
  return REFRESH_TOKEN.test(credential);
}

/** As much of a key as a list may show. */
export function shownPrefix(apiKey: string): string {
  return apiKey.slice(0, API_KEY_PREFIX.length + SHOWN_CHARACTERS);
}
