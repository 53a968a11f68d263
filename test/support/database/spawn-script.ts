import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';

export interface ScriptProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** The first line it prints. */
  readonly firstLine: Promise<string>;
  readonly exited: Promise<{ code: number | null; stderr: string }>;
}

/** Runs a TypeScript file of this folder in a process of its own. */
export function spawnScript(file: string, args: readonly string[]): ScriptProcess {
  const script = path.join(__dirname, file);
  const child = spawn(process.execPath, ['-r', '@swc-node/register', script, ...args], { stdio: 'pipe' });
  let stderr = '';
  child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
  const exited = once(child, 'close').then(([code]) => ({ code: code as number | null, stderr }));
  const firstLine = firstLineOf(child.stdout, exited);
  // Not every caller waits for it.
  firstLine.catch(() => undefined);
  return { child, firstLine, exited };
}

function firstLineOf(stdout: Readable, exited: Promise<{ stderr: string }>): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    stdout.on('data', (part: Buffer) => {
      text += part.toString();
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
    });
    void exited.then(({ stderr }) => reject(new Error(`The script printed nothing: ${stderr}`)));
  });
}
