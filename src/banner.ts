import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SetupTokenService, UsersRepository } from './auth/index';
import type { AppConfig } from './config/index';
import { toServiceUnavailable } from './errors/index';
import { AppLogger } from './observability/index';
import { ProviderRegistry } from './providers/index';

function registerCommand(url: string, setupToken: string | undefined): string[] {
  const body = {
    email: 'you@example.com',
    password: 'choose-a-long-one',
    name: 'You',
    ...(setupToken ? { setupToken } : {}),
  };
  return [
    'Create the first account (it becomes the administrator):',
    `  curl -s ${url}/api/v1/auth/register -H 'content-type: application/json' \\`,
    `    -d '${JSON.stringify(body)}'`,
  ];
}

/** PostgreSQL may be gone again by now: what is said here is a help, and no reason to stop. */
async function firstAccountLines(app: NestFastifyApplication, url: string): Promise<string[]> {
  try {
    if (await app.get(UsersRepository).hasAny()) return [];
    return ['', ...registerCommand(url, await app.get(SetupTokenService).setupToken())];
  } catch (error) {
    if (toServiceUnavailable(error)) return ['', 'PostgreSQL does not answer at the moment'];
    throw error;
  }
}

function providerLines(registry: ProviderRegistry): string[] {
  return registry.availability().map(({ provider, state, detail }) => {
    return `  ${provider.padEnd(10)} ${state === 'available' ? 'available' : `- ${detail}`}`;
  });
}

/** What a person who has just started it wants to know. Printed, not logged: it may hold the one-time setup token. */
export async function printBanner(app: NestFastifyApplication, config: AppConfig): Promise<void> {
  const address = app.getHttpServer().address() as { port: number } | null;
  const host = ['0.0.0.0', '::'].includes(config.host) ? 'localhost' : config.host;
  const url = `http://${host}:${address?.port ?? config.port}`;
  const lines = [
    '',
    `Lattice is ready at ${url}`,
    `Swagger UI: ${url}/docs`,
    ...(await firstAccountLines(app, url)),
    '',
    'Providers:',
    ...providerLines(app.get(ProviderRegistry)),
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (config.secretKey.isGenerated) {
    app
      .get(AppLogger)
      .warn('LATTICE_SECRET_KEY is not set: using a generated key kept in the data directory', 'Config');
  }
}
