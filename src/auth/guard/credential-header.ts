import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { API_KEY_PREFIX } from '../credentials/secret-token';

const BEARER = /^bearer +(\S+)$/i;

/** The credential of a request: `Authorization: Bearer <access token or key>`, otherwise `x-api-key: llk_…`. */
export function credentialOf(headers: IncomingHttpHeaders): string | undefined {
  const bearer = headers.authorization && BEARER.exec(headers.authorization)?.[1];
  if (bearer) return bearer;
  const key = headers['x-api-key'];
  return typeof key === 'string' && key.startsWith(API_KEY_PREFIX) ? key : undefined;
}

export interface EventToken {
  readonly token: string;
  /** What the path asks for; the token must have been given for it. */
  readonly resource: string;
}

/** The one credential that may stand in a URL, where the route takes it. */
export function eventTokenOf(request: FastifyRequest, param: string | undefined): EventToken | undefined {
  if (param === undefined) return undefined;
  const { token } = request.query as Record<string, unknown>;
  const resource = (request.params as Record<string, unknown>)[param];
  return typeof token === 'string' && typeof resource === 'string' ? { token, resource } : undefined;
}
