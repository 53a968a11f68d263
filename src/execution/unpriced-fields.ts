import type { ChatBody } from '../common/index';

/** Service tiers that cost what the list price says. */
const STANDARD_TIERS = new Set<unknown>([undefined, null, 'auto', 'default', 'standard_only']);

/** The first field that makes the provider charge by other rules than the price book's, if there is one. */
export function unpricedField(body: ChatBody): string | undefined {
  if (!STANDARD_TIERS.has(body.service_tier)) return 'service_tier';
  if (body.web_search_options !== undefined && body.web_search_options !== null) return 'web_search_options';
  if (Array.isArray(body.modalities) && body.modalities.some((kind) => kind !== 'text')) return 'modalities';
  return undefined;
}
