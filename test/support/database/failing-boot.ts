/** Boots as the application does, on a database whose migrations cannot run. Arguments: the data directory. */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Client } from 'pg';
import { ConfigModule, loadConfig } from '../../../src/config/index';
import { DatabaseModule, DatabaseServer } from '../../../src/database/index';

@Module({})
class Root {}

async function main(dataDir: string): Promise<void> {
  const config = loadConfig({ LATTICE_ENV: 'test', DATA_DIR: dataDir });
  const server = await DatabaseServer.open(config);
  try {
    await breakMigrations(server.url);
    const imports = [ConfigModule.forRoot(config), DatabaseModule.forRoot(server.url)];
    await NestFactory.createApplicationContext(
      { module: Root, imports },
      { abortOnError: false, logger: false },
    );
  } finally {
    await server.close();
  }
}

/** TypeORM's own table of migrations, but with other columns. */
async function breakMigrations(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('CREATE TABLE migrations (nothing integer)');
  await client.end();
}

main(process.argv[2] ?? '').catch((error: unknown) => {
  process.stderr.write(`${(error as Error).name}: ${(error as Error).message}\n`);
  process.exitCode = 1;
});
