import { formatUsd, toApiId } from '../common/index';
import type { CompletionMeta, CompletionTotals, ReuseNote } from '../execution/index';
import { rateLimitHeaders } from '../ledger/index';

const MAX_WARNINGS_LENGTH = 2048;

/** Headers hold visible ASCII only. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_WARNINGS_LENGTH);
}

/** What is known when the answer begins. */
export function metaHeaders(meta: CompletionMeta): Record<string, string> {
  const headers: Record<string, string> = {
    ...(meta.rateLimit && rateLimitHeaders(meta.rateLimit)),
    'x-lattice-model': meta.model,
    'x-lattice-provider': meta.provider,
    'x-lattice-task-type': meta.taskType,
    'x-lattice-decision-id': toApiId('dec', meta.decisionId),
  };
  if (meta.warnings.length > 0) headers['x-lattice-warnings'] = headerText(meta.warnings.join('; '));
  if (meta.executionMode) headers['x-lattice-execution-mode'] = meta.executionMode;
  if (meta.fallbackReason) headers['x-lattice-fallback-reason'] = meta.fallbackReason;
  if (meta.reuse) addReuse(headers, meta.reuse);
  if (meta.isSandbox) headers['x-lattice-sandbox'] = 'true';
  return headers;
}

/** The age is in whole seconds, as caches tell it. */
function addReuse(headers: Record<string, string>, { status, ageMs }: ReuseNote): void {
  headers['x-lattice-cache'] = status;
  if (ageMs !== undefined) headers.age = String(Math.floor(ageMs / 1000));
}

/** What is known at its end; on streams this stands in the last chunk instead. */
export function totalsHeaders(totals: CompletionTotals): Record<string, string> {
  const headers: Record<string, string> = { 'x-lattice-attempts': String(totals.attempts) };
  if (totals.costPicoUsd !== undefined) headers['x-lattice-cost-usd'] = formatUsd(totals.costPicoUsd);
  if (totals.stop) headers['x-lattice-stop'] = totals.stop;
  return headers;
}
