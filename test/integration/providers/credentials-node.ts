import { type DynamicModule, Module } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { Test, type TestingModule } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { newId, type ProviderId, type RequestContext, type Role } from '../../../src/common/index';
import { ConfigModule, loadConfig, type ProviderSettings } from '../../../src/config/index';
import { DatabaseModule } from '../../../src/database/index';
import { ErrorsModule } from '../../../src/errors/index';
import { ObservabilityModule } from '../../../src/observability/index';
import {
  ADAPTER_FACTORIES,
  type AdapterFactories,
  type ProviderAdapter,
  ProviderRegistry,
  ProvidersModule,
} from '../../../src/providers/index';
import { CredentialsService } from '../../../src/providers/credentials/credentials.service';
import { testEnv } from '../../support/app';
import { AuditModule } from '../../support/audit-module';

/** An adapter that only shows what it was made with. */
interface ShownAdapter extends ProviderAdapter {
  readonly settings: ProviderSettings;
}

const shown = (provider: ProviderId, settings: ProviderSettings): ShownAdapter =>
  ({
    provider,
    settings,
    withSettings: (other: ProviderSettings) => shown(provider, other),
  }) as Partial<ShownAdapter> as ShownAdapter;
const factories: AdapterFactories = Object.fromEntries(
  (['openai', 'xai', 'bedrock'] as const).map((provider) => [
    provider,
    (settings: ProviderSettings) => shown(provider, settings),
  ]),
);

@Module({})
class Installation {
  static on(url: string, env: NodeJS.ProcessEnv): DynamicModule {
    return {
      module: Installation,
      imports: [
        ConfigModule.forRoot(loadConfig(testEnv('/nonexistent', env))),
        EventEmitterModule.forRoot(),
        ObservabilityModule,
        ErrorsModule,
        DatabaseModule.forRoot(url),
        AuditModule,
        ProvidersModule,
      ],
    };
  }
}

export interface CredentialsNode {
  readonly module: TestingModule;
  readonly database: DataSource;
  readonly credentials: CredentialsService;
  readonly registry: ProviderRegistry;
  /** The key that a call of this user would be made with; undefined: of the installation, which has none. */
  keyFor(ctx: RequestContext, provider?: ProviderId): Promise<string | undefined>;
  close(): Promise<void>;
}

/** One process with the providers module and adapters that call nobody, on a database that others may share. */
export async function startNode(url: string, env: NodeJS.ProcessEnv = {}): Promise<CredentialsNode> {
  const module = await Test.createTestingModule({
    imports: [Installation.on(url, { OPENAI_BASE_URL: 'http://openai.test', ...env })],
  })
    .overrideProvider(ADAPTER_FACTORIES)
    .useValue(factories)
    .compile();
  module.useLogger(false);
  await module.init();
  const registry = module.get(ProviderRegistry);
  return {
    module,
    registry,
    database: module.get(DataSource),
    credentials: module.get(CredentialsService),
    keyFor: async ({ principal }, provider = 'openai') => {
      const { adapter } = await registry.open(provider, { ownerId: principal.userId });
      return (adapter as ShownAdapter).settings.apiKey;
    },
    close: () => module.close(),
  };
}

let users = 0;

/** A context that acts for a new user. */
export async function newCaller(database: DataSource, role: Role = 'operator'): Promise<RequestContext> {
  const userId = newId();
  users += 1;
  await database.query(
    `insert into users (id, email, name, password_hash, role) values ($1, $2, 'Ada', 'none', $3)`,
    [userId, `credentials-${users}@example.com`, role],
  );
  return {
    requestId: newId(),
    traceId: '0'.repeat(32),
    principal: { userId, role },
    signal: new AbortController().signal,
  };
}
