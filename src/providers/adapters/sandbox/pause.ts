import { setTimeout as sleep } from 'node:timers/promises';
import type { ChatCall } from '../../provider.port';
import { failure } from './failures';

/**
 * Waits as a slow provider would: never longer than the model's limit.
 * @throws ProviderError of fault timeout at the limit, aborted when the caller's signal fires.
 */
export async function pause(call: Pick<ChatCall, 'signal'>, ms: number, limitMs: number): Promise<void> {
  checkAborted(call);
  if (ms <= 0) return;
  try {
    await sleep(Math.min(ms, limitMs), undefined, { signal: call.signal });
  } catch {
    checkAborted(call);
  }
  if (ms > limitMs) throw failure('timeout', { mayBeBilled: true });
}

export function checkAborted({ signal }: Pick<ChatCall, 'signal'>): void {
  if (signal.aborted) throw failure('aborted', { mayBeBilled: false });
}
