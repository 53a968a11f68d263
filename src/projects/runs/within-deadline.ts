import { DeadlineExceededError } from '../../execution/index';

const MAX_TIMER_MS = 2 ** 31 - 1;

/** Does something under a signal that is also aborted, with a DeadlineExceededError, when the time is over. */
export async function withinDeadline<T>(
  signal: AbortSignal,
  deadlineAt: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const leftMs = deadlineAt - Date.now();
  const expire = (): void => controller.abort(new DeadlineExceededError('The task took longer than it may'));
  if (leftMs <= 0) expire();
  const timer = setTimeout(expire, Math.min(Math.max(0, leftMs), MAX_TIMER_MS));
  try {
    const both = AbortSignal.any([signal, controller.signal]);
    both.throwIfAborted();
    return await work(both);
  } finally {
    clearTimeout(timer);
  }
}
