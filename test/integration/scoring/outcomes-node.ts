import { type DynamicModule, Module } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { Test, type TestingModule } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { typicalProfile } from '../../../src/scoring/outcomes/versions/typical-profile';
import { CatalogService } from '../../../src/catalog/index';
import type { RequestContext, TaskType } from '../../../src/common/index';
import { newId } from '../../../src/common/index';
import { ConfigModule, loadConfig } from '../../../src/config/index';
import { DatabaseModule } from '../../../src/database/index';
import { ErrorsModule } from '../../../src/errors/index';
import { ObservabilityModule } from '../../../src/observability/index';
import { type CapabilityEstimate, Capabilities } from '../../../src/scoring/index';
import type { NewOutcome } from '../../../src/scoring/outcomes/outcome';
import { OutcomesModule } from '../../../src/scoring/outcomes/outcomes.module';
import { testEnv } from '../../support/app';
import { AuditModule } from '../../support/audit-module';
import { aContext } from '../../support/factories';

@Module({})
class Installation {
  static on(url: string): DynamicModule {
    return {
      module: Installation,
      imports: [
        ConfigModule.forRoot(loadConfig(testEnv('/nonexistent'))),
        EventEmitterModule.forRoot(),
        ObservabilityModule,
        ErrorsModule,
        DatabaseModule.forRoot(url),
        AuditModule,
        OutcomesModule,
      ],
    };
  }
}

/** One process that learns from outcomes, on a database that others may share. */
export interface OutcomesNode {
  readonly module: TestingModule;
  readonly database: DataSource;
  readonly capabilities: Capabilities;
  /** What this process expects of a model now. */
  expects(model: string, taskType: TaskType): CapabilityEstimate;
  close(): Promise<void>;
}

export async function startOutcomesNode(url: string): Promise<OutcomesNode> {
  const module = await Test.createTestingModule({ imports: [Installation.on(url)] }).compile();
  module.useLogger(false);
  await module.init();
  const capabilities = module.get(Capabilities);
  return {
    module,
    database: module.get(DataSource),
    capabilities,
    expects: (name, taskType) => {
      const model = module.get(CatalogService).find(name);
      if (!model) throw new Error(`The catalog has no ${name}`);
      return capabilities.current.estimate(model, typicalProfile(taskType));
    },
    close: () => module.close(),
  };
}

export const anAdmin = (): RequestContext => aContext({ principal: { userId: newId(), role: 'admin' } });

/** So many like this. */
export function outcomes(count: number, more: Partial<NewOutcome> = {}): NewOutcome[] {
  return Array.from({ length: count }, () => ({
    source: 'api',
    model: 'openai/gpt-4o-mini',
    taskType: 'SUMMARIZATION',
    score: 1,
    ...more,
  }));
}
