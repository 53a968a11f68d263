/** Writes the OpenAPI document of the whole service to the named file, without a database or a provider. */
import { writeFileSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppModule } from './app.module';
import { loadConfig } from './config/index';
import { openApiDocument } from './swagger';

async function write(file: string): Promise<void> {
  const config = loadConfig({ LATTICE_ENV: 'test', LATTICE_SECRET_KEY: 'x'.repeat(32) });
  const unused = 'postgresql://127.0.0.1:1/none';
  const app = await NestFactory.create(AppModule.forRoot(config, unused), new FastifyAdapter(), {
    preview: true,
    logger: ['error'],
    abortOnError: false,
  });
  writeFileSync(file, `${JSON.stringify(openApiDocument(app), null, 2)}\n`);
}

void write(process.argv[2] ?? 'openapi.json');
