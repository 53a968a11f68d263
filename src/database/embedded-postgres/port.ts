import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { ClusterFolder } from './cluster-folder';

/** The port of the last start if it is free, else any free one; remembered, so that the URL stays the same. */
export async function choosePort(folder: ClusterFolder): Promise<number> {
  const port = (await freePort(rememberedPort(folder))) ?? (await freePort(0));
  if (port === undefined) throw new Error('No free port on 127.0.0.1');
  writeFileSync(folder.portFile, String(port));
  return port;
}

function rememberedPort(folder: ClusterFolder): number {
  try {
    return Number(readFileSync(folder.portFile, 'utf8')) || 0;
  } catch {
    return 0;
  }
}

function freePort(wanted: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      server.close(() => resolve(port));
    });
  });
}
