/** A process of scoring: what it reads from PostgreSQL, and nothing else of the application. */
import { type DynamicModule, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { ConfigModule, loadConfig } from '../../../src/config/index';
import { DatabaseModule } from '../../../src/database/index';
import { ObservabilityModule } from '../../../src/observability/index';
import { Performances, Preferences, Weights } from '../../../src/scoring/index';
import { PerformanceCleanup } from '../../../src/scoring/performance/performance-cleanup';
import { PerformanceStore } from '../../../src/scoring/performance/performance-store';
import { PreferenceSettings } from '../../../src/scoring/preferences/preference-settings.service';
import { PreferencesRepository } from '../../../src/scoring/preferences/preferences.repository';
import { testEnv } from '../../support/app';
import { AuditModule } from '../../support/audit-module';

@Module({})
class ScoringNodeModule {
  static on(url: string): DynamicModule {
    return {
      module: ScoringNodeModule,
      imports: [
        ConfigModule.forRoot(loadConfig(testEnv('/nonexistent', { ROUTING_MEASURE_MS: '60000' }))),
        ObservabilityModule,
        DatabaseModule.forRoot(url),
        AuditModule,
      ],
      providers: [
        Weights,
        PerformanceCleanup,
        PerformanceStore,
        Performances,
        PreferencesRepository,
        Preferences,
        PreferenceSettings,
      ],
    };
  }
}

export interface ScoringNode {
  readonly database: DataSource;
  readonly performances: Performances;
  readonly cleanup: PerformanceCleanup;
  readonly preferences: Preferences;
  readonly settings: PreferenceSettings;
  close(): Promise<void>;
}

export async function startScoringNode(url: string): Promise<ScoringNode> {
  const module: TestingModule = await Test.createTestingModule({
    imports: [ScoringNodeModule.on(url)],
  }).compile();
  module.useLogger(false);
  await module.init();
  return {
    database: module.get(DataSource),
    performances: module.get(Performances),
    cleanup: module.get(PerformanceCleanup),
    preferences: module.get(Preferences),
    settings: module.get(PreferenceSettings),
    close: () => module.close(),
  };
}
