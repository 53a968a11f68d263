import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgres } from '../../../src/database/index';

/** A PostgreSQL of the test's own that it may stop, freeze and start again. The port stays the same. */
export class PrivateServer {
  private constructor(
    private readonly folder: string,
    private readonly postgres: EmbeddedPostgres,
  ) {}

  static async start(): Promise<PrivateServer> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'lattice-private-'));
    const postgres = await EmbeddedPostgres.start({ folder, dieWithParent: true });
    return new PrivateServer(folder, postgres);
  }

  get url(): string {
    return this.postgres.url;
  }

  /** Ends it as `pg_ctl stop` does: `fast` shuts down in order, `immediate` leaves a crash recovery for the next start. */
  async shutDown(mode: 'fast' | 'immediate'): Promise<void> {
    process.kill(this.pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    while (this.postgres.isRunning) await delay(10);
  }

  /** Resolves when it takes connections again. */
  async startAgain(): Promise<void> {
    await this.postgres.revive();
  }

  /** Stops every process of the server in its tracks: connections stay open, nothing answers. */
  freeze(): void {
    for (const pid of this.processes()) signal(pid, 'SIGSTOP');
  }

  thaw(): void {
    for (const pid of this.processes()) signal(pid, 'SIGCONT');
  }

  async stop(): Promise<void> {
    if (this.postgres.isRunning) this.thaw();
    await this.postgres.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get pid(): number {
    return Number(readFileSync(path.join(this.folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
  }

  /** The postmaster first, so that it starts no others meanwhile. */
  private processes(): readonly number[] {
    const { pid } = this;
    const children = readdirSync('/proc')
      .map(Number)
      .filter((other) => parentOf(other) === pid);
    return [pid, ...children];
  }
}

/** A backend may end between being listed and being signalled. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}
