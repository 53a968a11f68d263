import { isJsonObject, type JsonObject } from '../../../common/index';
import type { ProviderFault } from '../../provider.errors';

const CONTEXT_LENGTH = /^(?:The )?input token count\b.*exceeds|^Request payload size exceeds/i;
const CREDENTIAL = /^API key (?:not valid|not found|expired|was reported)|prepayment credits are depleted/i;

const STATUS_FAULTS: Readonly<Record<string, ProviderFault>> = {
  UNAUTHENTICATED: 'rejected',
  PERMISSION_DENIED: 'rejected',
  // The account, its country or its billing; never the words of the prompt.
  FAILED_PRECONDITION: 'rejected',
  NOT_FOUND: 'not_found',
  RESOURCE_EXHAUSTED: 'rate_limited',
  UNAVAILABLE: 'overloaded',
  INTERNAL: 'overloaded',
  UNKNOWN: 'overloaded',
  DATA_LOSS: 'overloaded',
  ABORTED: 'overloaded',
  CANCELLED: 'overloaded',
  DEADLINE_EXCEEDED: 'overloaded',
};

/**
 * Google documents no header for it: a front end or a proxy may set one of these. The id in the answer's own body,
 * `responseId`, becomes the id of the completion.
 */
export const GOOGLE_REQUEST_ID_HEADERS = ['x-request-id', 'x-goog-request-id'] as const;

/** The gRPC status says most; a prompt that does not fit and a key that is not valid are both INVALID_ARGUMENT. */
export function googleFault(_status: number, message: string, type?: string): ProviderFault | undefined {
  if (CREDENTIAL.test(message)) return 'rejected';
  if (CONTEXT_LENGTH.test(message)) return 'context_length';
  return type === undefined ? undefined : STATUS_FAULTS[type];
}

/** Google writes how long to wait into the error's details (`"retryDelay": "12.5s"`), not into a header. */
export function googleRetryAfterMs(body: unknown): number | undefined {
  const error = isJsonObject(body) && isJsonObject(body.error) ? body.error : body;
  const details = isJsonObject(error) && Array.isArray(error.details) ? error.details : [];
  const delay: unknown = details.filter(isJsonObject).find(isRetryInfo)?.retryDelay;
  const seconds = typeof delay === 'string' ? /^(\d+(?:\.\d+)?)s$/.exec(delay)?.[1] : undefined;
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1000);
}

function isRetryInfo({ '@type': type }: JsonObject): boolean {
  return typeof type === 'string' && type.endsWith('google.rpc.RetryInfo');
}
