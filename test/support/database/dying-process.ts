/** A process that takes the embedded server of a folder with it, however it ends. */
import { EmbeddedPostgres } from '../../../src/database/index';

async function main(folder: string): Promise<void> {
  const { url, pid, isAdopted } = await EmbeddedPostgres.start({ folder, fast: true, dieWithParent: true });
  process.stdout.write(`${JSON.stringify({ url, pid, isAdopted })}\n`);
  for await (const _ of process.stdin);
}

void main(process.argv[2] ?? '');
