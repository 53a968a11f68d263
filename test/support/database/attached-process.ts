/** A process that attaches to the embedded server of a folder, says so, and detaches when its input closes. */
import { EmbeddedPostgres } from '../../../src/database/index';

async function main(folder: string): Promise<void> {
  const { url, pid, isAdopted, stop } = await attach(folder);
  process.stdout.write(`${JSON.stringify({ url, pid, isAdopted })}\n`);
  for await (const _ of process.stdin);
  await stop();
}

async function attach(folder: string) {
  const server = await EmbeddedPostgres.start({ folder, fast: true });
  return { url: server.url, pid: server.pid, isAdopted: server.isAdopted, stop: () => server.stop() };
}

void main(process.argv[2] ?? '');
