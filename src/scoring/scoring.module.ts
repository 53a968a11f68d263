import { Module } from '@nestjs/common';
import { AppConfig } from '../config/index';
import { Capabilities } from './outcomes/capabilities.service';
import { Performances } from './performance/performances.service';
import { Preferences } from './preferences/preferences.service';
import { RoutingWeights } from './routing-weights';
import { ScoringService } from './scoring.service';

@Module({
  providers: [
    {
      provide: RoutingWeights,
      inject: [AppConfig],
      useFactory: (config: AppConfig) => RoutingWeights.load(config.configDirs),
    },
    Capabilities,
    Performances,
    Preferences,
    ScoringService,
  ],
  exports: [Capabilities, Performances, Preferences, ScoringService],
})
export class ScoringModule {}
