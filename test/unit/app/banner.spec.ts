import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SetupTokenService, UsersRepository } from '../../../src/auth/index';
import { printBanner } from '../../../src/banner';
import { loadConfig } from '../../../src/config/index';
import { ProviderRegistry } from '../../../src/providers/index';

async function printed(hasAny: () => Promise<boolean>): Promise<string> {
  const parts = new Map<unknown, object>([
    [UsersRepository, { hasAny }],
    [SetupTokenService, { setupToken: () => Promise.resolve(undefined) }],
    [ProviderRegistry, { availability: () => [{ provider: 'sandbox', state: 'available' }] }],
  ]);
  const app = {
    get: (part: unknown) => parts.get(part),
    getHttpServer: () => ({ address: () => ({ port: 3000 }) }),
  } as unknown as NestFastifyApplication;
  const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await printBanner(app, loadConfig({ LATTICE_ENV: 'test', LATTICE_SECRET_KEY: 'x'.repeat(48) }));
    return write.mock.calls.map(([text]) => String(text)).join('');
  } finally {
    write.mockRestore();
  }
}

describe('what is printed at the start', () => {
  it('helps with the first account while there is none', async () => {
    expect(await printed(() => Promise.resolve(false))).toContain('/api/v1/auth/register');
    expect(await printed(() => Promise.resolve(true))).not.toContain('/api/v1/auth/register');
  });

  it('is printed too when PostgreSQL has gone again', async () => {
    const gone = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const text = await printed(() => Promise.reject(gone));
    expect(text).toContain('Lattice is ready at');
    expect(text).toContain('PostgreSQL does not answer');
    expect(text).toContain('sandbox');
  });

  it('hides no other failure', async () => {
    await expect(printed(() => Promise.reject(new Error('a defect')))).rejects.toThrow('a defect');
  });
});
