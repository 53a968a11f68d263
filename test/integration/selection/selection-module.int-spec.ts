import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { Test, type TestingModule } from '@nestjs/testing';
import { ConfigModule, loadConfig } from '../../../src/config/index';
import { DatabaseModule } from '../../../src/database/index';
import { ErrorsModule } from '../../../src/errors/index';
import { ObservabilityModule } from '../../../src/observability/index';
import { SelectionModule, SelectionService } from '../../../src/selection/index';
import { AuditModule } from '../../support/audit-module';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { aContext, aRequest } from '../../support/factories';

describe(SelectionModule.name, () => {
  let database: TestDatabase;
  let dataDir: string;
  let module: TestingModule;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataDir = mkdtempSync(path.join(tmpdir(), 'lattice-selection-'));
    const config = loadConfig({ DATA_DIR: dataDir, LATTICE_ENV: 'test' });
    module = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(config),
        EventEmitterModule.forRoot(),
        ObservabilityModule,
        ErrorsModule,
        DatabaseModule.forRoot(database.url),
        AuditModule,
        SelectionModule,
      ],
    }).compile();
    await module.init();
  });

  afterAll(async () => {
    await module.close();
    await database.drop();
    rmSync(dataDir, { recursive: true });
  });

  it.each(['auto', 'auto:cheap', 'auto:best', 'auto:fast'])(
    'routes %s to the sandbox when no provider is configured, and never to its flaky model',
    (model) => {
      const shown = module.get(SelectionService).explain(aContext(), aRequest({ model }));
      expect([shown.model, ...shown.fallbacks].toSorted()).toEqual(['sandbox/large', 'sandbox/small']);
      expect(shown.filtered).toContainEqual(
        expect.objectContaining({ model: 'sandbox/flaky', reason: 'blocked_by_guide' }),
      );
    },
  );

  it('sends to the flaky model who names it', () => {
    const shown = module.get(SelectionService).explain(aContext(), aRequest({ model: 'sandbox/flaky' }));
    expect(shown).toMatchObject({ model: 'sandbox/flaky', fallbacks: [], strategy: 'pinned' });
  });
});
