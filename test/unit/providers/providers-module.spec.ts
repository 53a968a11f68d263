import { Module } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { ROUTE_CLASS } from '../../../src/auth/index';
import { CatalogModule, CatalogService } from '../../../src/catalog/index';
import { ConfigModule, loadConfig } from '../../../src/config/index';
import { ObservabilityModule } from '../../../src/observability/index';
import { ProviderRegistry, ProvidersModule } from '../../../src/providers/index';
import { ProvidersController } from '../../../src/providers/providers.controller';

@Module({ providers: [{ provide: CatalogService, useValue: {} }], exports: [CatalogService] })
class CatalogWithoutDatabase {}

describe(ProvidersModule.name, () => {
  it('serves the list of providers and exports the registry', async () => {
    const config = loadConfig({
      LATTICE_ENV: 'test',
      LATTICE_SECRET_KEY: 'x'.repeat(48),
      LOG_LEVEL: 'silent',
      OPENAI_API_KEY: 'never-shown',
    });
    const module = await Test.createTestingModule({
      imports: [ConfigModule.forRoot(config), ObservabilityModule, ProvidersModule],
    })
      .overrideModule(CatalogModule)
      .useModule(CatalogWithoutDatabase)
      .compile();
    const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
    await app.init();
    try {
      const response = await app.inject({ method: 'GET', url: '/api/v1/providers' });
      expect(response.statusCode).toBe(200);
      expect(response.body).not.toContain('never-shown');
      expect(response.json()).toEqual({
        data: JSON.parse(JSON.stringify(app.get(ProviderRegistry).availability())) as unknown,
        nextCursor: null,
      });
    } finally {
      await app.close();
    }
  });

  it('classifies its route as owned', () => {
    const handler: unknown = Object.getOwnPropertyDescriptor(ProvidersController.prototype, 'list')?.value;
    expect(Reflect.getMetadata(ROUTE_CLASS, handler as object)).toBe('owned');
  });
});
