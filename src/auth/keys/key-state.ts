import type { ApiKeyEntity } from '../entities/api-key.entity';

export const KEY_STATES = ['active', 'expired', 'revoked'] as const;
export type KeyState = (typeof KEY_STATES)[number];

export function keyState({ revokedAt, expiresAt }: ApiKeyEntity): KeyState {
  if (revokedAt) return 'revoked';
  return expiresAt && expiresAt.getTime() <= Date.now() ? 'expired' : 'active';
}

const GENERATION_DIGITS = 16;

/** Tells the secrets of one key apart; no part of a secret. @param digest of the secret, hexadecimal */
export function generationOf(digest: string): string {
  return digest.slice(0, GENERATION_DIGITS);
}

/** Is this secret still taken? Undefined: it is not known which one was sent. */
export function hasGeneration(key: ApiKeyEntity, generation: string | undefined): boolean {
  if (generation === undefined || generationOf(key.keyHash) === generation) return true;
  const { previousKeyHash, previousKeyUntil } = key;
  if (previousKeyHash === null || previousKeyUntil === null) return false;
  return generationOf(previousKeyHash) === generation && previousKeyUntil.getTime() > Date.now();
}

export function isActive(key: ApiKeyEntity): boolean {
  return keyState(key) === 'active';
}
