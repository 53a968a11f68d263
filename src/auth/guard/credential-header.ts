import type { IncomingHttpHeaders } from 'node:http';
import { API_KEY_PREFIX } from '../credentials/secret-token';

const BEARER = /^bearer +(\S+)$/i;

/** The credential of a request: `Authorization: Bearer <access token or key>`, otherwise `x-api-key: llk_…`. */
export function credentialOf(headers: IncomingHttpHeaders): string | undefined {
  const bearer = headers.authorization && BEARER.exec(headers.authorization)?.[1];
  if (bearer) return bearer;
  const key = headers['x-api-key'];
  return typeof key === 'string' && key.startsWith(API_KEY_PREFIX) ? key : undefined;
}
