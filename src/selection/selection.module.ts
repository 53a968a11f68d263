import { Module } from '@nestjs/common';
import { AnalysisModule } from '../analysis/index';
import { CatalogModule } from '../catalog/index';
import { AppConfig } from '../config/index';
import { ProvidersModule } from '../providers/index';
import { ScoringModule } from '../scoring/index';
import { CandidatePool } from './candidate-pool';
import { DecisionsController } from './decisions.controller';
import { DecisionsRepository } from './decisions.repository';
import { DecisionsService } from './decisions.service';
import { EmbeddingSelection } from './embedding-selection.service';
import { Guide } from './guide';
import { ModelAvailability } from './model-availability';
import { SelectionService } from './selection.service';

/** Needs AppConfig and the data source, both global. */
@Module({
  imports: [AnalysisModule, CatalogModule, ProvidersModule, ScoringModule],
  controllers: [DecisionsController],
  providers: [
    {
      provide: Guide,
      inject: [AppConfig],
      useFactory: (config: AppConfig) => Guide.load(config.configDirs),
    },
    ModelAvailability,
    CandidatePool,
    EmbeddingSelection,
    SelectionService,
    DecisionsRepository,
    DecisionsService,
  ],
  exports: [EmbeddingSelection, SelectionService, ModelAvailability],
})
export class SelectionModule {}
