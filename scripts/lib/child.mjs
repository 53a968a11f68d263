import { spawn } from 'node:child_process';
import os from 'node:os';

/** What the child gets for each signal; a terminal that went away asks for an orderly end too. */
const forwarded = { SIGINT: 'SIGINT', SIGTERM: 'SIGTERM', SIGHUP: 'SIGTERM' };

/** Ctrl-C arrives twice, from the terminal and from npm; a repeat only counts as one when it comes later than this. */
const sameSignalMs = 500;

/**
 * Runs a command to its end and forwards signals to it, so that nothing outlives the script that started it.
 * With `capture` its output is collected instead of shown. `onSpawn` gets the process id. With `ownGroup` the terminal's
 * signals reach the child through this process only, each once.
 * @returns {Promise<{ code: number | null, signal: string | null, output: string, wasInterrupted: boolean }>}
 */
export function runChild(
  command,
  args,
  { capture = false, ownGroup = false, onSpawn = () => {}, ...options } = {},
) {
  return new Promise((resolve, reject) => {
    const stdio = capture ? ['ignore', 'pipe', 'pipe'] : 'inherit';
    const detached = ownGroup && process.platform !== 'win32';
    const child = spawn(command, args, { stdio, detached, ...options });
    const output = [];
    let wasInterrupted = false;
    let lastForwardedAt = -Infinity;
    const forward = (signal) => {
      wasInterrupted = true;
      if (performance.now() - lastForwardedAt < sameSignalMs) return;
      lastForwardedAt = performance.now();
      child.kill(forwarded[signal]);
    };
    const signals = Object.keys(forwarded);
    const stopListening = () => signals.forEach((signal) => process.off(signal, forward));
    signals.forEach((signal) => process.on(signal, forward));
    child.stdout?.on('data', (chunk) => output.push(chunk));
    child.stderr?.on('data', (chunk) => output.push(chunk));
    child.once('spawn', () => onSpawn(child.pid));
    child.once('error', (error) => {
      stopListening();
      reject(error);
    });
    child.once('close', (code, signal) => {
      stopListening();
      resolve({ code, signal, output: Buffer.concat(output).toString('utf8'), wasInterrupted });
    });
  });
}

/** Ends this process the way the child ended: with its exit code, or by the same signal. */
export function leaveLike({ code, signal }) {
  if (signal === null) {
    process.exitCode = code ?? 1;
    return;
  }
  process.exitCode = 128 + (os.constants.signals[signal] ?? 0);
  process.kill(process.pid, signal);
}
