import { Module } from '@nestjs/common';
import { AppConfig } from '../config/index';
import { RoutingWeights } from './routing-weights';
import { ScoringService } from './scoring.service';

@Module({
  providers: [
    {
      provide: RoutingWeights,
      inject: [AppConfig],
      useFactory: (config: AppConfig) => RoutingWeights.load(config.configDirs),
    },
    ScoringService,
  ],
  exports: [ScoringService],
})
export class ScoringModule {}
