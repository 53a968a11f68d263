import type { ProviderFault } from '../../provider.errors';
import { namedFault } from '../upstream-fault';

export const COHERE_REQUEST_ID_HEADERS = ['x-debug-trace-id', 'x-request-id'] as const;

const TOO_LONG = /too long|too many tokens|exceeds? the (?:maximum|limit)|at most \d+ tokens/i;
/** Cohere's own statuses: a blocked token, and a request that it gave up itself. */
const STATUS_FAULTS: Readonly<Record<number, ProviderFault>> = { 498: 'rejected', 499: 'overloaded' };

export function cohereFault(status: number, message: string): ProviderFault | undefined {
  const own = STATUS_FAULTS[status];
  if (own) return own;
  if (status !== 400 && status !== 422) return undefined;
  return TOO_LONG.test(message) ? 'context_length' : namedFault({ message });
}
