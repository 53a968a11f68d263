import type { ProviderFault } from '../../provider.errors';

const CONTEXT_LENGTH =
  /prompt is too long|exceeds? (?:the )?(?:maximum )?context|context (?:window|limit)|max_tokens` exceed/i;
const CONTENT_FILTER = /content filtering policy/i;
const BILLING = /credit balance|billing/i;

const TYPE_FAULTS: Readonly<Record<string, ProviderFault>> = {
  api_error: 'overloaded',
  overloaded_error: 'overloaded',
  timeout_error: 'overloaded',
  rate_limit_error: 'rate_limited',
  authentication_error: 'rejected',
  permission_error: 'rejected',
  billing_error: 'rejected',
  not_found_error: 'not_found',
  request_too_large: 'context_length',
};

export const ANTHROPIC_REQUEST_ID_HEADERS = ['request-id', 'x-request-id'] as const;

/**
 * The type says most, also where it comes without a status; but a prompt that does not fit, blocked output and an
 * empty account are all one type, told apart by their words.
 */
export function anthropicFault(_status: number, message: string, type?: string): ProviderFault | undefined {
  if (type !== 'invalid_request_error') return type === undefined ? undefined : TYPE_FAULTS[type];
  if (CONTEXT_LENGTH.test(message)) return 'context_length';
  if (CONTENT_FILTER.test(message)) return 'content_filter';
  return BILLING.test(message) ? 'rejected' : 'invalid_request';
}
