import type { AddressInfo, Server } from 'node:net';

/** Has the server listen on a port of its own, on this machine only. Gives the port. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}
