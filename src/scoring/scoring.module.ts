import { Module } from '@nestjs/common';
import { OutcomesModule } from './outcomes/outcomes.module';
import { PerformanceCleanup } from './performance/performance-cleanup';
import { PerformanceStore } from './performance/performance-store';
import { Performances } from './performance/performances.service';
import { PreferenceSettings } from './preferences/preference-settings.service';
import { PreferencesController } from './preferences/preferences.controller';
import { PreferencesRepository } from './preferences/preferences.repository';
import { Preferences } from './preferences/preferences.service';
import { ScoringService } from './scoring.service';
import { Weights } from './weights';

/** Needs AppConfig, observability, database and AuditSink, all global. */
@Module({
  imports: [OutcomesModule],
  controllers: [PreferencesController],
  providers: [
    Weights,
    PerformanceCleanup,
    PerformanceStore,
    Performances,
    PreferencesRepository,
    Preferences,
    PreferenceSettings,
    ScoringService,
  ],
  exports: [OutcomesModule, Performances, Preferences, ScoringService],
})
export class ScoringModule {}
