import { createHash } from 'node:crypto';

/** The outcome of one answer, as one user saw it. UUIDs. */
export function sameAnswer(source: string, requestId: string, userId: string): string {
  return digest([source, requestId, userId]);
}

/** The outcome of one prompt of a pool, by the model's name as it was given: another catalog must not double it. */
export function samePrompt(pool: string | undefined, promptId: string, model: string): string {
  return digest([pool ?? null, promptId, model.toLowerCase()]);
}

function digest(parts: readonly (string | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
