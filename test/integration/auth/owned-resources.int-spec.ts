import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import { AppModule } from '../../../src/app.module';
import { OWNERSHIP, type OwnedResource, type OwnershipRule } from '../../../src/auth/index';
import { loadConfig } from '../../../src/config/index';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';

/** Preview mode instantiates nothing, so the container is read as it was scanned. */
interface Inspectable {
  readonly container: { getModules(): Map<string, { controllers: Map<unknown, { metatype: unknown }> }> };
}

async function ownedResources(): Promise<OwnedResource[]> {
  const config = loadConfig({ LATTICE_ENV: 'test', LATTICE_SECRET_KEY: 'x'.repeat(32) });
  const app = await NestFactory.create(
    AppModule.forRoot(config, 'postgresql://127.0.0.1:1/none'),
    new FastifyAdapter(),
    { preview: true, logger: false, abortOnError: false },
  );
  const modules = [...(app as unknown as Inspectable).container.getModules().values()];
  const prototypes = modules
    .flatMap(({ controllers }) => [...controllers.values()])
    .map(({ metatype }) => (metatype as { prototype: Record<string, unknown> }).prototype);
  return prototypes
    .flatMap((prototype) => Object.getOwnPropertyNames(prototype).map((name) => prototype[name]))
    .map((handler) =>
      typeof handler === 'function'
        ? (Reflect.getMetadata(OWNERSHIP, handler) as OwnershipRule | undefined)
        : undefined,
    )
    .flatMap((rule) => (rule ? [rule.resource] : []));
}

describe('resources that routes are owned by', () => {
  let database: TestDatabase;
  let source: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  });

  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  it('stand in tables that exist, under UUIDs', async () => {
    const resources = await ownedResources();
    expect(resources.map(({ table }) => table)).toEqual(expect.arrayContaining(['api_keys', 'decisions']));
    for (const { table, idColumn = 'id', ownerColumn = 'user_id' } of resources) {
      const columns: { column_name: string; data_type: string }[] = await source.query(
        'select column_name, data_type from information_schema.columns where table_name = $1',
        [table],
      );
      const types = new Map(columns.map((column) => [column.column_name, column.data_type]));
      expect([table, types.get(idColumn), types.get(ownerColumn)]).toEqual([table, 'uuid', 'uuid']);
    }
  });
});
