/** An attempt to connect goes on this long after its call was given up; undici cannot stop it. */
export const CONNECT_CAP_MS = 15_000;

/** undici keeps an aborted request waiting until its socket is connected; the caller shall not. */
export function orAborted<T>(pending: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    pending.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
