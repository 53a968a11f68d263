import { isJsonObject } from '../../../common/index';
import type { ProviderFault } from '../../provider.errors';
import { namedFault } from '../upstream-fault';

export const BEDROCK_REQUEST_ID_HEADERS = ['x-amzn-requestid'] as const;

/** Types of Bedrock and of the AWS front door before it; a ValidationException is told apart by its words. */
const TYPE_FAULTS: Readonly<Record<string, ProviderFault>> = {
  AccessDeniedException: 'rejected',
  ExpiredTokenException: 'rejected',
  IncompleteSignatureException: 'rejected',
  InvalidSignatureException: 'rejected',
  MissingAuthenticationTokenException: 'rejected',
  UnrecognizedClientException: 'rejected',
  ResourceNotFoundException: 'not_found',
  ThrottlingException: 'rate_limited',
  ServiceQuotaExceededException: 'rate_limited',
  // Loading still: it is the model that is late, not the caller who is too fast.
  ModelNotReadyException: 'overloaded',
  ModelTimeoutException: 'overloaded',
  ModelErrorException: 'overloaded',
  ModelStreamErrorException: 'overloaded',
  InternalServerException: 'overloaded',
  InternalFailure: 'overloaded',
  ServiceUnavailableException: 'overloaded',
};

const WORDS: readonly (readonly [RegExp, ProviderFault])[] = [
  [/content filtering policy/i, 'content_filter'],
  [
    /exceed context limit|input (?:length|tokens?) exceed|exceeds (?:the )?max(?:imum)? (?:input )?(?:length|tokens)|expected maxLength/i,
    'context_length',
  ],
  [/model identifier is invalid|on-demand throughput isn.t supported|end of its life/i, 'not_found'],
  [/account is not authorized|operation not allowed|access to the model/i, 'rejected'],
];
/** The library's words for a body that ended inside an event. */
const HALF_FRAME = /^Incomplete Amazon Bedrock event-stream frame/;

export function bedrockFault(status: number, message: string, type?: string): ProviderFault | undefined {
  const byType = type === undefined ? undefined : TYPE_FAULTS[type];
  if (byType) return byType;
  // The message of an answer that could not be read repeats it; only what refuses has words of Amazon's.
  if (status < 400) return HALF_FRAME.test(message) ? 'cut' : undefined;
  if (status === 424) return 'overloaded';
  if (status !== 400) return undefined;
  return WORDS.find(([words]) => words.test(message))?.[1] ?? namedFault({ message });
}

/**
 * Amazon names the type in a header (`ThrottlingException:http://…`), sometimes in the body as `__type` behind a
 * namespace, and in a stream as the name of the event.
 */
export function bedrockErrorType(
  headers: Readonly<Record<string, string>>,
  body: unknown,
): string | undefined {
  const header = headers['x-amzn-errortype']?.split(':')[0];
  if (header || !isJsonObject(body)) return header;
  if (typeof body.__type === 'string') return body.__type.split('#').at(-1);
  return Object.keys(body).find((name) => name.endsWith('Exception'));
}

/** Reasons to stop that Amazon documents and the library does not know. */
export const BEDROCK_STOP_REASONS = {
  model_context_window_exceeded: 'length',
  malformed_model_output: 'error',
  malformed_tool_use: 'error',
} as const;
