import './node-version';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp, shutDown } from './app';
import { printBanner } from './banner';
import { bootFailure } from './boot-failure';
import { type AppConfig, loadConfig } from './config/index';
import { DatabaseServer } from './database/index';
import { stopSignal } from './stop-signal';
import { WaitingRoom } from './waiting-room';

async function start(
  config: AppConfig,
  databaseUrl: string,
  room: WaitingRoom,
): Promise<NestFastifyApplication> {
  const app = await createApp(config, databaseUrl);
  try {
    await room.close();
    await app.listen(config.port, config.host);
    await printBanner(app, config);
    return app;
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** What was started is stopped in reverse order, whether the service was asked to leave or never came up. */
async function main(): Promise<void> {
  const config = loadConfig();
  const stop = stopSignal();
  const server = await DatabaseServer.open(config);
  const room = new WaitingRoom(config);
  try {
    if (!(await server.untilReachable({ stop, onWait: () => room.open() }))) return;
    const app = await start(config, server.url, room);
    await stop;
    await shutDown(app, config);
  } finally {
    await room.close();
    await server.close();
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${bootFailure(error)}\n`);
    process.exit(1);
  },
);
