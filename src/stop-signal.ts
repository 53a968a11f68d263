/** A terminal signals the whole process group and a parent may pass the signal on, so one Ctrl-C can arrive twice. */
const SAME_WISH_MS = 1000;

/**
 * Resolves with the first SIGTERM or SIGINT, also one that comes while the service still starts. A later wish, more than
 * a second after the first, ends the process at once.
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (firstAt !== undefined && performance.now() - firstAt > SAME_WISH_MS) process.exit(1);
        firstAt ??= performance.now();
        resolve(signal);
      });
    }
  });
}
