import type { ApiKeyEntity } from '../entities/api-key.entity';

export const KEY_STATES = ['active', 'expired', 'revoked'] as const;
export type KeyState = (typeof KEY_STATES)[number];

export function keyState({ revokedAt, expiresAt }: ApiKeyEntity): KeyState {
  if (revokedAt) return 'revoked';
  return expiresAt && expiresAt.getTime() <= Date.now() ? 'expired' : 'active';
}

export function isActive(key: ApiKeyEntity): boolean {
  return keyState(key) === 'active';
}
