import { createContext, Script } from 'node:vm';

/** Time passes on a busy machine as well, so only what is late every time counts as slow. */
const TURNS = 3;
const call = new Script('work()');
const room = createContext({});

export class OverTimeError extends Error {
  override readonly name = OverTimeError.name;

  constructor(limitMs: number) {
    super(`it takes longer than ${limitMs} ms`);
  }
}

/**
 * The result of `work`, which must be one that may be left half done and begun again. It is stopped wherever it is, in the
 * middle of an expression as well: a limit that is looked at now and then is none for what lies between.
 *
 * @throws OverTimeError
 */
export function inTime<T>(limitMs: number, work: () => T): T {
  if (limitMs === Infinity) return work();
  for (let turn = 1; turn <= TURNS; turn++) {
    try {
      return stopped(limitMs, work);
    } catch (error) {
      if (!isStop(error)) throw error;
    }
  }
  throw new OverTimeError(limitMs);
}

/** Node.js stops nothing but scripts, though with all that they call. */
function stopped<T>(limitMs: number, work: () => T): T {
  room.work = work;
  try {
    return call.runInContext(room, { timeout: limitMs }) as T;
  } finally {
    delete room.work;
  }
}

function isStop(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
