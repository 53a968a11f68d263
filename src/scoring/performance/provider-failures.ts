/**
 * The error codes of usage lines that speak against a model's provider. What the request caused, a refused credential (its
 * circuit breaker deals with that) and failures of our own say nothing of a model.
 */
export const PROVIDER_FAILURES = [
  'PROVIDER_UNREACHABLE',
  'PROVIDER_TIMEOUT',
  'PROVIDER_STREAM_CUT',
  'PROVIDER_OVERLOADED',
  'PROVIDER_RATE_LIMITED',
  'PROVIDER_MALFORMED_ANSWER',
  'PROVIDER_MODEL_NOT_FOUND',
] as const;
