import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const DIE_WITH_PARENT = path.join(__dirname, '..', 'die-with-parent.cjs');
const MAIN = path.join(__dirname, 'durable-process-main.ts');

/** The durable engine in a process of its own, for tests that kill or stop it. */
export class DurableProcess {
  private readonly exit: Promise<unknown>;
  private printed = '';

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (part: Buffer) => (this.printed += part.toString()));
    this.exit = once(child, 'exit');
  }

  /** Resolves when it takes runs. */
  static async start(databaseUrl: string, env: NodeJS.ProcessEnv = {}): Promise<DurableProcess> {
    const args = ['-r', DIE_WITH_PARENT, '-r', '@swc-node/register', MAIN, databaseUrl];
    const child = spawn(process.execPath, args, { env: { PATH: process.env.PATH, ...env }, stdio: 'pipe' });
    const started = new DurableProcess(child);
    while (!started.printed.includes('ready')) {
      const ended = await Promise.race([
        started.exit.then(() => true),
        Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data')]).then(() => false),
      ]);
      if (ended) throw new Error(`The process ended: ${started.printed}`);
    }
    return started;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Its exit code; null after a kill. */
  async exited(): Promise<number | null> {
    await this.exit;
    return this.child.exitCode;
  }

  async destroy(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exit;
  }
}
