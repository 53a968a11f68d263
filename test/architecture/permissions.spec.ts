import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppModule } from '../../src/app.module';
import { SCOPES } from '../../src/auth/index';
import { loadConfig } from '../../src/config/index';
import { openApiDocument } from '../../src/swagger';

interface Described {
  readonly operationId: string;
  readonly routeClass?: string;
  readonly permission?: string;
}

async function operations(): Promise<Described[]> {
  const config = loadConfig({ LATTICE_ENV: 'test', LATTICE_SECRET_KEY: 'x'.repeat(32) });
  const app = await NestFactory.create(
    AppModule.forRoot(config, 'postgresql://127.0.0.1:1/none'),
    new FastifyAdapter(),
    { preview: true, logger: false, abortOnError: false },
  );
  return Object.values(openApiDocument(app).paths)
    .flatMap((item) => Object.values(item) as Record<string, string>[])
    .map((operation) => ({
      operationId: operation.operationId ?? '',
      routeClass: operation['x-lattice-class'],
      permission: operation['x-lattice-permission'],
    }));
}

describe('permissions in the OpenAPI document', () => {
  let described: Described[];

  beforeAll(async () => {
    described = await operations();
  });

  it('stand at every route that is not public, and at no public one', () => {
    expect(described.length).toBeGreaterThan(20);
    for (const { operationId, routeClass, permission } of described) {
      expect([operationId, routeClass]).toEqual([operationId, expect.any(String)]);
      expect([operationId, permission !== undefined]).toEqual([operationId, routeClass !== 'public']);
    }
  });

  it('are all scopes that a key can be given', () => {
    const unknown = described.filter(({ permission }) => permission && !SCOPES.includes(permission));
    expect(unknown).toEqual([]);
  });

  it('follow from path and method', () => {
    const byId = new Map(described.map(({ operationId, permission }) => [operationId, permission]));
    expect(Object.fromEntries(byId)).toMatchObject({
      createKey: 'keys:write',
      listKeys: 'keys:read',
      listModels: 'inference',
      explainRoute: 'route:write',
      getDecision: 'decisions:read',
      setPrice: 'catalog:write',
    });
  });
});
