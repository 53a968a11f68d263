import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Principal } from '../../common/index';
import { AppConfig } from '../../config/index';

/** A principal and the moment its credential ends. */
export interface Authenticated {
  readonly principal: Principal;
  readonly expiresAtMs?: number;
}

/** Whose credentials are to be forgotten. UUIDs. */
export type Evicted = Partial<Pick<Principal, 'keyId' | 'userId' | 'sessionId'>>;

const MAX_ENTRIES = 10_000;
const TTL_MS = 10_000;
const INVALID_TTL_MS = 1_000;
const RECENT_TTL_MS = 15 * 60_000;
const CLOCK = { ttlResolution: 0, perf: { now: (): number => Date.now() } };

/**
 * Who stands behind a credential, for metered routes only: there the ledger's admission checks key and user again in
 * the database, so an entry may be up to 10 s old. Unknown credentials are remembered apart and for 1 s, so that a
 * flood of them pushes no good entry out. A failed look-up is never remembered.
 */
@Injectable()
export class PrincipalCache {
  private readonly known = new LRUCache<string, Principal>({ max: MAX_ENTRIES, ttl: TTL_MS, ...CLOCK });
  private readonly unknown = new LRUCache<string, true>({ max: MAX_ENTRIES, ttl: INVALID_TTL_MS, ...CLOCK });
  /** Who was confirmed in the last 15 minutes; asked only while PostgreSQL is away, and kept only where that pays. */
  private readonly recent?: LRUCache<string, Authenticated>;
  private readonly loading = new Map<string, Promise<Principal | undefined>>();

  constructor({ degradedFloatPicoUsd }: AppConfig) {
    if (!degradedFloatPicoUsd) return;
    this.recent = new LRUCache({ max: MAX_ENTRIES, ttl: RECENT_TTL_MS, ...CLOCK });
  }

  /** The principal at once when it is cached; simultaneous calls for one credential share one look-up. */
  resolve(
    digest: string,
    load: () => Promise<Authenticated | undefined>,
  ): Principal | undefined | Promise<Principal | undefined> {
    const principal = this.known.get(digest);
    if (principal) return principal;
    if (this.unknown.has(digest)) return undefined;
    return this.loading.get(digest) ?? this.load(digest, load);
  }

  /** The principal when it is cached. */
  peek(digest: string): Principal | undefined {
    return this.known.get(digest);
  }

  /** The principal as it was last confirmed, marked so; undefined where no degraded float would pay for it anyway. */
  recall(digest: string): Principal | undefined {
    const found = this.recent?.get(digest);
    if (!found || (found.expiresAtMs ?? Infinity) <= Date.now()) return undefined;
    return Object.freeze({ ...found.principal, isUnconfirmed: true });
  }

  /** Forgets every credential of a key, a user or a login in this process. */
  evict(who: Evicted): void {
    // What is being looked up may have been read before the change.
    this.loading.clear();
    for (const [digest, principal] of this.known.entries()) {
      if (isMeant(who, principal)) this.known.delete(digest);
    }
    for (const [digest, { principal }] of this.recent?.entries() ?? []) {
      if (isMeant(who, principal)) this.recent?.delete(digest);
    }
  }

  /** Forgets everybody: nobody knows what has changed. */
  clear(): void {
    this.loading.clear();
    this.known.clear();
    this.recent?.clear();
  }

  private load(
    digest: string,
    load: () => Promise<Authenticated | undefined>,
  ): Promise<Principal | undefined> {
    const look = load()
      .then((found) => {
        if (this.loading.get(digest) === look) this.remember(digest, found);
        return found?.principal;
      })
      .finally(() => {
        if (this.loading.get(digest) === look) this.loading.delete(digest);
      });
    this.loading.set(digest, look);
    return look;
  }

  private remember(digest: string, found: Authenticated | undefined): void {
    if (!found) {
      this.unknown.set(digest, true);
      this.recent?.delete(digest);
      return;
    }
    this.recent?.set(digest, found);
    const ttl = Math.min(TTL_MS, (found.expiresAtMs ?? Infinity) - Date.now());
    if (ttl >= 1) this.known.set(digest, found.principal, { ttl: Math.floor(ttl) });
  }
}

function isMeant({ keyId, userId, sessionId }: Evicted, principal: Principal): boolean {
  return (
    (keyId !== undefined && principal.keyId === keyId) ||
    (userId !== undefined && principal.userId === userId) ||
    (sessionId !== undefined && principal.sessionId === sessionId)
  );
}
