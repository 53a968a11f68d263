/** The only retry loop of the product. Who calls it decides, per failure, whether and when to go again. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RetryPolicy } from '../common/index';

export type Verdict = { readonly again: false } | { readonly again: true; readonly delayMs: number };

export const GIVE_UP: Verdict = { again: false };

const JITTER = 0.2;

/** The pause before try `tries + 1`: base × 2^(tries − 1) ± 20 %, at most `maxDelayMs`. */
export function backoffMs(policy: RetryPolicy, tries: number, random: () => number = Math.random): number {
  const plain = Math.min(policy.baseDelayMs * 2 ** (tries - 1), policy.maxDelayMs);
  return Math.min(Math.round(plain * (1 - JITTER + 2 * JITTER * random())), policy.maxDelayMs);
}

/**
 * A provider's Retry-After wins over the backoff when it fits: within the cap and within the time left.
 * @returns undefined when waiting that long makes no sense here.
 */
export function retryDelayMs(
  policy: RetryPolicy,
  tries: number,
  asked: { readonly retryAfterMs?: number; readonly timeLeftMs: number },
): number | undefined {
  const wait = asked.retryAfterMs ?? backoffMs(policy, tries);
  return wait <= policy.maxDelayMs && wait < asked.timeLeftMs ? wait : undefined;
}

/**
 * Runs `attempt` until it succeeds or `decide` gives up; then throws the last failure. An abort during a pause ends it
 * at once with that last failure too: the caller maps the signal's reason.
 */
export async function withRetry<T>(
  attempt: () => Promise<T>,
  decide: (failure: unknown) => Verdict,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (failure) {
      const verdict = decide(failure);
      if (!verdict.again || !(await pause(verdict.delayMs, signal))) throw failure;
    }
  }
}

async function pause(delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  if (delayMs === 0) return true;
  try {
    await delay(delayMs, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
