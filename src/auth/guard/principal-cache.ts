import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Principal } from '../../common/index';

/** A principal and the moment its credential ends. */
export interface Authenticated {
  readonly principal: Principal;
  readonly expiresAtMs?: number;
}

const MAX_ENTRIES = 10_000;
const TTL_MS = 10_000;
const INVALID_TTL_MS = 1_000;
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
  private readonly loading = new Map<string, Promise<Principal | undefined>>();

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

  /** Forgets every credential of a key or a user in this process. Other processes follow within 10 s. */
  evict(who: { readonly keyId: string } | { readonly userId: string }): void {
    // What is being looked up may have been read before the change.
    this.loading.clear();
    for (const [digest, principal] of this.known.entries()) {
      const isMeant = 'keyId' in who ? principal.keyId === who.keyId : principal.userId === who.userId;
      if (isMeant) this.known.delete(digest);
    }
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
      return;
    }
    const ttl = Math.min(TTL_MS, (found.expiresAtMs ?? Infinity) - Date.now());
    if (ttl >= 1) this.known.set(digest, found.principal, { ttl: Math.floor(ttl) });
  }
}
