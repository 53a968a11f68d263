import { LRUCache } from 'lru-cache';
import { ProviderError, type ProviderErrorOptions, type ProviderFault } from '../../provider.errors';
import type { ChatCall } from '../../provider.port';
import { faultOf } from '../upstream-fault';
import type { Directives } from './directives';

/** Fails on every attempt unless the prompt says `fail=none` or names another failure. */
const FLAKY_MODEL = 'flaky';
const NAMED_FAULTS: readonly ProviderFault[] = ['connect', 'timeout', 'cut', 'malformed', 'content_filter'];
const REMEMBERED_REQUESTS = 1000;

/** Decides whether an attempt fails before its first byte. Remembers only how often a request has failed already. */
export class SandboxFailures {
  readonly #failed = new LRUCache<string, number>({ max: REMEMBERED_REQUESTS });

  /** @throws ProviderError */
  check(call: Pick<ChatCall, 'model' | 'requestId'>, directives: Directives): void {
    const { model, requestId } = call;
    if (directives.isTooLong) throw failure('context_length', { upstreamStatus: 400 });
    const fail = directives.fail ?? (model.upstreamId === FLAKY_MODEL ? '503' : 'none');
    if (fail === 'none') return;
    const key = `${requestId} ${model.upstreamId}`;
    const failedBefore = this.#failed.get(key) ?? 0;
    if (directives.times !== undefined && failedBefore >= directives.times) return;
    this.#failed.set(key, failedBefore + 1);
    throw asked(fail, directives.retryAfterSeconds);
  }
}

export function failure(
  fault: ProviderFault,
  options: Partial<Omit<ProviderErrorOptions, 'provider' | 'fault'>> = {},
): ProviderError {
  return new ProviderError(`sandbox failed on request: ${fault}`, {
    provider: 'sandbox',
    fault,
    mayBeBilled: false,
    ...options,
  });
}

function asked(fail: string, retryAfterSeconds?: number): ProviderError {
  const retryAfterMs = retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1000;
  const named = NAMED_FAULTS.find((fault) => fault === fail);
  if (named)
    return failure(named, { retryAfterMs, mayBeBilled: named !== 'connect' && named !== 'content_filter' });
  const status = Number(fail);
  if (!Number.isInteger(status) || status < 400 || status > 599) {
    return failure('invalid_request', { upstreamStatus: 400 });
  }
  return failure(faultOf(status, {}), { retryAfterMs, upstreamStatus: status });
}
