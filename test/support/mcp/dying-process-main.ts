/** Starts an MCP program that hears no end of its input, prints its process id and waits to be killed. */
import { ProgramTransport } from '../../../src/tools/mcp/program-transport';

const deaf = 'sleep 600 & exec sleep 600';

async function main(): Promise<void> {
  const settings = { command: ['/bin/sh', '-c', deaf], env: [], cwd: __dirname, timeoutMs: 1000 };
  const program = new ProgramTransport(settings, () => undefined);
  await program.start();
  process.stdout.write(String(program.pid));
  process.stdin.resume();
}

void main();
