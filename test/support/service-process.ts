import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';

const DIE_WITH_PARENT = path.join(__dirname, 'die-with-parent.cjs');

/** `npm run proof` builds it and takes what it built, which starts in a third of the time. */
const ENTRY =
  process.env.PROOF_SERVICE === 'built' ? ['dist/src/main.js'] : ['-r', '@swc-node/register', 'src/main.ts'];

/** The service in a process of its own, for tests that kill it or read what it prints. */
export class ServiceProcess {
  private printed = '';
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly exit: Promise<number | null>;

  constructor(private readonly env: NodeJS.ProcessEnv) {
    const args = ['-r', DIE_WITH_PARENT, ...ENTRY];
    this.child = spawn(process.execPath, args, { env: { PATH: process.env.PATH, ...env }, stdio: 'pipe' });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.printed += chunk.toString()));
    }
    this.exit = once(this.child, 'close').then(([code]) => code as number | null);
  }

  get output(): string {
    return this.printed;
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** Where it serves; rejects with all it printed when it ends before. */
  async url(): Promise<string> {
    for (;;) {
      const url = /Lattice is ready at (\S+)/.exec(this.printed)?.[1];
      if (url && this.printed.includes('Providers:')) return url;
      const ended = await Promise.race([
        this.exit.then(() => true),
        once(this.child.stdout, 'data').then(() => false),
      ]);
      if (ended) throw new Error(`The service ended: ${this.printed}`);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Its exit code; null after a kill. */
  exited(): Promise<number | null> {
    return this.exit;
  }

  /** The embedded PostgreSQL below its data directory, if one is alive. */
  postgresPid(): number | undefined {
    const file = path.join(this.env.DATA_DIR ?? '', 'postgres', 'data', 'postmaster.pid');
    if (!existsSync(file)) return undefined;
    const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
    return existsSync(`/proc/${pid}`) ? pid : undefined;
  }

  /** Ends whatever is left of it. */
  async destroy(): Promise<void> {
    const pid = this.postgresPid();
    this.child.kill('SIGKILL');
    await this.exit;
    if (pid) process.kill(pid, 'SIGKILL');
  }
}
