/** What a script's end means: the fault, and whether what it called may have charged for it. */
import { isJsonObject, type JsonObject, type TokenUsage } from '../../../common/index';
import { withoutValues } from '../../../config/index';
import type { FailureClass } from '../../../errors/index';
import { ProviderError, type ProviderFault } from '../../provider.errors';
import { failureOf } from '../openai-dialect/errors';
import { attemptReport } from '../openai-dialect/response';
import { type ErrorContext, safeMessage } from '../safe-message';
import { faultOf, namedFault, type UpstreamFailure } from '../upstream-fault';
import type { Refusal } from './places';
import type { ScriptEnd, ScriptProcess, StopReason } from './script-process';

export interface ScriptContext extends ErrorContext {
  readonly requestId: string;
  /** Names of the variables whose values must not be repeated. */
  readonly env: readonly string[];
}

/** Faults that a script may name itself, and whether something may have been charged by then when it does not say. */
const BILLED: Readonly<Partial<Record<ProviderFault, boolean>>> = {
  connect: false,
  rejected: false,
  not_found: false,
  rate_limited: false,
  overloaded: false,
  invalid_request: false,
  context_length: false,
  content_filter: true,
  timeout: true,
};
const RETRIED: ReadonlySet<ProviderFault> = new Set(['connect', 'rate_limited', 'overloaded']);

const STOPPED: Readonly<Record<StopReason, { readonly fault: ProviderFault; readonly what: string }>> = {
  silent: { fault: 'timeout', what: 'was silent for too long and was ended' },
  overdue: { fault: 'overdue', what: 'took too long and was ended' },
  output: { fault: 'too_large', what: 'wrote more than it may and was ended' },
  aborted: { fault: 'aborted', what: 'was ended with the request' },
  shutdown: { fault: 'aborted', what: 'was ended because the process is shutting down' },
  left: { fault: 'aborted', what: 'was ended because its answer was not wanted any more' },
};

const REFUSED: Readonly<Record<Refusal, { readonly fault: ProviderFault; readonly what: string }>> = {
  aborted: { fault: 'aborted', what: 'was not started: the request ended before' },
  full: { fault: 'overloaded', what: 'was not started: too many calls wait for it' },
  late: { fault: 'overloaded', what: 'was not started: the calls before it took too long' },
};

/** Nothing was started, so nothing was charged. */
export function refusedError({ provider }: ScriptContext, refusal: Refusal): ProviderError {
  const { fault, what } = REFUSED[refusal];
  return new ProviderError(`The script of ${provider} ${what}`, { provider, fault, mayBeBilled: false });
}

export function startError({ provider }: ScriptContext, code: string): ProviderError {
  return new ProviderError(`The script of ${provider} cannot be started (${code}): see scripts.yaml`, {
    provider,
    fault: 'connect',
    mayBeBilled: false,
  });
}

/** What it called by then is not known, so it may have been charged. */
export function unreadableError(
  { provider }: ScriptContext,
  what: string,
  usage?: TokenUsage,
): ProviderError {
  return new ProviderError(`The script of ${provider} ${what}`, {
    provider,
    fault: 'malformed',
    mayBeBilled: true,
    usage,
  });
}

/** The error of a process that did not come to a good end; undefined for one that did. */
export function endError(
  context: ScriptContext,
  process: ScriptProcess,
  end: ScriptEnd,
  seen: { readonly hasAnswer: boolean; readonly usage?: TokenUsage },
): ProviderError | undefined {
  const { provider } = context;
  if (end.startFailure !== undefined) return startError(context, end.startFailure);
  const { usage } = seen;
  if (process.stopReason !== undefined) {
    const { fault, what } = STOPPED[process.stopReason];
    return new ProviderError(`The script of ${provider} ${what}`, {
      provider,
      fault,
      mayBeBilled: true,
      usage,
    });
  }
  if (end.code === 0) return undefined;
  const how = end.code === null ? `was ended by ${end.signal ?? 'a signal'}` : `ended with code ${end.code}`;
  const fault = seen.hasAnswer ? 'cut' : 'overloaded';
  return new ProviderError(`The script of ${provider} ${how}`, { provider, fault, mayBeBilled: true, usage });
}

/** The error object that a script wrote in place of an answer, or of its rest. */
export function reportedError(context: ScriptContext, body: JsonObject, hasAnswer: boolean): ProviderError {
  const { provider, env } = context;
  const failure = failureOf(body);
  const { billed, retryable, retryAfterMs } = isJsonObject(body.error) ? body.error : {};
  const known = knownFault(failure);
  const fault = known ?? 'overloaded';
  const message = safeMessage(context, failure.message && withoutValues(failure.message, env));
  return new ProviderError(`The script of ${provider} reported an error${message ? `: ${message}` : ''}`, {
    provider,
    fault,
    failure: typeof retryable === 'boolean' ? failureClass(fault, retryable) : undefined,
    retryAfterMs: typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? retryAfterMs : undefined,
    param: failure.param,
    mayBeBilled: hasAnswer || (typeof billed === 'boolean' ? billed : !known || BILLED[known] !== false),
    usage: body.usage ? attemptReport({ rawUsage: body.usage }).usage : undefined,
  });
}

/** The fault that the code names: one of ours, an HTTP status, or a code of OpenAI's. */
function knownFault(failure: UpstreamFailure): ProviderFault | undefined {
  const { code } = failure;
  if (code !== undefined && Object.hasOwn(BILLED, code)) return code as ProviderFault;
  const status = Number(code);
  if (Number.isInteger(status) && status >= 400 && status < 600) return faultOf(status, failure);
  return namedFault(failure);
}

/** What the script says about retrying counts; what the request itself caused stays final unless it says otherwise. */
function failureClass(fault: ProviderFault, isRetryable: boolean): FailureClass | undefined {
  if (isRetryable) return 'retry';
  return RETRIED.has(fault) ? 'fallover' : undefined;
}
