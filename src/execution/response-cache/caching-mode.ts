import type { CachingMode, CachingOption, Principal } from '../../common/index';

/** What a request wants of the response cache: what it says itself, else what its key says; undefined: nothing. */
export function cachingOf(
  { usesCache }: Principal,
  { cache }: { readonly cache?: CachingOption },
): CachingMode | undefined {
  if (cache === undefined) return usesCache ? 'on' : undefined;
  return cache === 'off' ? undefined : cache;
}
