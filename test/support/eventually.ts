import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 20;

/** Reads until something is there; for what happens a moment after the answer, such as the books of a client that hung up. */
export async function eventually<T>(read: () => Promise<T | undefined>, limitMs = 5000): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`It did not come within ${limitMs} ms`);
    await delay(PAUSE_MS);
  }
}
