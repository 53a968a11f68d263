import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** Speaks on its standard streams when it is started without arguments. */
export const MCP_PROGRAM = path.join(__dirname, 'server.mjs');
const DIE_WITH_PARENT = path.join(__dirname, '..', 'die-with-parent.cjs');

/** A real MCP server over HTTP in a process of its own, which can be killed and started again at the same port. */
export class McpHttpServer {
  private child?: ChildProcess;
  port = 0;

  static async start(): Promise<McpHttpServer> {
    const server = new McpHttpServer();
    await server.start();
    return server;
  }

  /** At the port that it had, if it had one. */
  async start(): Promise<void> {
    const args = ['-r', DIE_WITH_PARENT, MCP_PROGRAM, String(this.port)];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child = child;
    const [printed] = (await once(child.stdout, 'data')) as [Buffer];
    this.port = Number(/(\d+)/.exec(printed.toString())?.[1]);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/mcp`;
  }

  at(place: string): string {
    return `http://127.0.0.1:${this.port}/${place}`;
  }

  /** It knows nobody any more. @param refusals how many requests are told at once; others are when they are released */
  async forget(refusals?: number): Promise<void> {
    const query = refusals === undefined ? '' : `?refusals=${refusals}`;
    await fetch(this.at(`sessions${query}`), { method: 'DELETE' });
  }

  async sessions(): Promise<number> {
    return Number(await (await fetch(this.at('sessions'))).text());
  }

  async release(): Promise<void> {
    await fetch(this.at('strangers'), { method: 'DELETE' });
  }

  async kill(): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}
