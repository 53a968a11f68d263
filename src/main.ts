import './node-version';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp, shutDown } from './app';
import { printBanner } from './banner';
import { bootFailure } from './boot-failure';
import { type AppConfig, loadConfig } from './config/index';
import { DatabaseServer } from './database/index';
import { stopSignal } from './stop-signal';

async function start(config: AppConfig, databaseUrl: string): Promise<NestFastifyApplication> {
  const app = await createApp(config, databaseUrl);
  try {
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
  try {
    const app = await start(config, server.url);
    await stop;
    await shutDown(app, config);
  } finally {
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
