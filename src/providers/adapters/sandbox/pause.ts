import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelTimeouts } from '../../../catalog/index';
import type { ChatCall } from '../../provider.port';
import { failure } from './failures';

/** Which of the model's timers bounds the wait. */
export type PauseLimit = Exclude<keyof ModelTimeouts, 'connectMs'>;

/**
 * Waits as a slow provider would: never longer than the model's limit.
 * @throws ProviderError of fault timeout at the limit, of the total overdue; aborted when the caller's signal fires.
 */
export async function pause(
  call: Pick<ChatCall, 'signal' | 'model'>,
  ms: number,
  limit: PauseLimit,
): Promise<void> {
  const limitMs = call.model.timeouts[limit];
  checkAborted(call);
  if (ms <= 0) return;
  try {
    await sleep(Math.min(ms, limitMs), undefined, { signal: call.signal });
  } catch {
    checkAborted(call);
  }
  if (ms > limitMs) throw failure(limit === 'totalMs' ? 'overdue' : 'timeout', { mayBeBilled: true });
}

export function checkAborted({ signal }: Pick<ChatCall, 'signal'>): void {
  if (signal.aborted) throw failure('aborted', { mayBeBilled: false });
}
