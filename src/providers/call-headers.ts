import type { ChatCall } from './provider.port';

/** The headers that tell an upstream which call of ours it is, names and values in turn. */
export function callHeaders({
  requestId,
  idempotencyKey,
}: Pick<ChatCall, 'requestId' | 'idempotencyKey'>): string[] {
  const headers = ['x-request-id', requestId];
  if (idempotencyKey !== undefined) headers.push('idempotency-key', idempotencyKey);
  return headers;
}
