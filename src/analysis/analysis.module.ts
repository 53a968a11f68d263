import { Module } from '@nestjs/common';
import { AppConfig } from '../config/index';
import { AnalysisService } from './analysis.service';
import { TaskClassifier } from './classifier/task-classifier';
import { Patterns } from './patterns';
import { SemanticRouter } from './semantic/semantic-router';

@Module({
  providers: [
    Patterns,
    {
      provide: TaskClassifier,
      inject: [AppConfig],
      useFactory: (config: AppConfig) => TaskClassifier.load(config.configDirs),
    },
    AnalysisService,
    SemanticRouter,
  ],
  exports: [AnalysisService, SemanticRouter],
})
export class AnalysisModule {}
