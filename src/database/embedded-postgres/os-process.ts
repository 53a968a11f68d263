import { readFileSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * A mark that tells two processes with the same pid apart: boot id and start time on Linux, `alive` elsewhere.
 * Undefined when no such process runs; a zombie does not run.
 */
export function processMark(pid: number): string | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (process.platform !== 'linux') return canSignal(pid) ? 'alive' : undefined;
  const stat = readOptional(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The command name stands in brackets and may itself contain spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const startTicks = fields[19];
  if (state === 'Z' || state === 'X') return undefined;
  return `${readOptional('/proc/sys/kernel/random/boot_id')?.trim()} ${startTicks}`;
}

/** The arguments of a running process; undefined where the system does not show them. */
export function processArguments(pid: number): readonly string[] | undefined {
  return readOptional(`/proc/${pid}/cmdline`)?.split('\0');
}

/** The name of the program that a process runs; undefined where the system does not show it. */
export function processName(pid: number): string | undefined {
  return readOptional(`/proc/${pid}/comm`)?.trim();
}

/** Whether a process works in this very folder, whatever it was called when the process went there. */
export function worksIn(pid: number, folder: string): boolean {
  try {
    const [place, wanted] = [statSync(`/proc/${pid}/cwd`), statSync(folder)];
    return place.dev === wanted.dev && place.ino === wanted.ino;
  } catch {
    return false;
  }
}

/** True when the process is gone within the time. */
export async function waitUntilGone(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  const mark = processMark(pid);
  while (mark !== undefined && processMark(pid) === mark) {
    if (performance.now() > deadline) return false;
    await delay(10);
  }
  return true;
}

function canSignal(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function readOptional(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
