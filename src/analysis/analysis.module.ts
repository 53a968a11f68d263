import { Module } from '@nestjs/common';
import { AppConfig } from '../config/index';
import { AnalysisService } from './analysis.service';
import { TaskClassifier } from './classifier/task-classifier';
import { PatternSet } from './pattern-set';

@Module({
  providers: [
    {
      provide: PatternSet,
      inject: [AppConfig],
      useFactory: (config: AppConfig) => PatternSet.load(config.configDirs),
    },
    {
      provide: TaskClassifier,
      inject: [AppConfig],
      useFactory: (config: AppConfig) => TaskClassifier.load(config.configDirs),
    },
    AnalysisService,
  ],
  exports: [AnalysisService],
})
export class AnalysisModule {}
