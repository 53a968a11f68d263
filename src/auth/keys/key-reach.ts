/** How far a key reaches, and whether one key reaches beyond another: pure. */
import { grantsOf } from '../guard/permissions';
import { allowsModel } from './allowed-models';

export interface KeyReach {
  /** Null: whatever its owner may, except managing credentials. */
  readonly scopes: readonly string[] | null;
  /** Null: every model. */
  readonly allowedModels: readonly string[] | null;
  /** Null: never. */
  readonly expiresAt: Date | null;
}

/** The first thing in which `wanted` goes beyond `own`; undefined when it stays within. */
export function beyond(own: KeyReach, wanted: KeyReach): keyof KeyReach | undefined {
  if (!areWithin(wanted.scopes, own.scopes, coversScope)) return 'scopes';
  if (!areWithin(wanted.allowedModels, own.allowedModels, coversModel)) return 'allowedModels';
  if (own.expiresAt && !(wanted.expiresAt && wanted.expiresAt <= own.expiresAt)) return 'expiresAt';
  return undefined;
}

type Covers = (own: readonly string[], wanted: string) => boolean;

function areWithin(wanted: readonly string[] | null, own: readonly string[] | null, covers: Covers): boolean {
  if (own === null) return true;
  return wanted !== null && wanted.every((name) => covers(own, name));
}

function coversScope(own: readonly string[], wanted: string): boolean {
  return [wanted, ...grantsOf(wanted)].some((scope) => own.includes(scope));
}

function coversModel(own: readonly string[], wanted: string): boolean {
  return allowsModel(own, { id: wanted, provider: wanted.slice(0, wanted.indexOf('/')) });
}
