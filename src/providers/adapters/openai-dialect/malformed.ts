import type { TokenUsage } from '../../../common/index';
import { ProviderError } from '../../provider.errors';
import type { ErrorContext } from '../safe-message';
import { failureOf, reportedError } from './errors';
import type { UpstreamAnswer } from './exchange';
import { jsonObjectOf, requestIdOf } from './response';

/**
 * A 2xx answer that is not what the dialect says. An error object in it says more than the status.
 * @param usage what the answer counts; nothing known of it: undefined throughout
 */
export function malformed(context: ErrorContext, answer: UpstreamAnswer, usage: TokenUsage): ProviderError {
  const body = jsonObjectOf(answer.body);
  const known = {
    upstreamStatus: answer.status,
    upstreamRequestId: requestIdOf(answer.headers),
    usage: body?.usage ? usage : undefined,
  };
  if (body?.error) return reportedError(context, failureOf(body), known);
  const type = String(answer.headers['content-type'] ?? 'none').slice(0, 100);
  return new ProviderError(
    `${context.provider} answered ${answer.status} with an unexpected body (${type})`,
    { ...known, provider: context.provider, fault: 'malformed', mayBeBilled: true },
  );
}
