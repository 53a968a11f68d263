import { Module } from '@nestjs/common';
import { AnalysisModule } from '../analysis/index';
import { Cursors } from '../auth/index';
import { CatalogModule } from '../catalog/index';
import { AppConfig } from '../config/index';
import { ProvidersModule } from '../providers/index';
import { ScoringModule } from '../scoring/index';
import { CandidatePool } from './candidate-pool';
import { CurrentConditions } from './current-conditions.service';
import { DecisionReplay } from './decisions/decision-replay.service';
import { DecisionsController } from './decisions/decisions.controller';
import { DecisionsRepository } from './decisions/decisions.repository';
import { DecisionsService } from './decisions/decisions.service';
import { EmbeddingSelection } from './embedding-selection.service';
import { ArmModels } from './experiments/arm-models';
import { ExperimentChanges } from './experiments/experiment-changes.service';
import { ExperimentPages } from './experiments/experiment.pages';
import { ExperimentResultsRepository } from './experiments/experiment-results.repository';
import { ExperimentsController } from './experiments/experiments.controller';
import { ExperimentsRepository } from './experiments/experiments.repository';
import { Experiments } from './experiments/experiments.service';
import { Guide } from './guide';
import { ModelAvailability } from './model-availability';
import { PastConditions } from './decisions/past-conditions.service';
import { RouteChooser } from './route-chooser';
import { SelectionService } from './selection.service';

/** Needs AppConfig and the data source, both global. */
@Module({
  imports: [AnalysisModule, CatalogModule, ProvidersModule, ScoringModule],
  controllers: [DecisionsController, ExperimentsController],
  providers: [
    {
      provide: Guide,
      inject: [AppConfig],
      useFactory: (config: AppConfig) => Guide.load(config.configDirs),
    },
    ModelAvailability,
    CandidatePool,
    RouteChooser,
    CurrentConditions,
    PastConditions,
    EmbeddingSelection,
    SelectionService,
    Experiments,
    ExperimentsRepository,
    ExperimentResultsRepository,
    ExperimentPages,
    ExperimentChanges,
    ArmModels,
    Cursors,
    DecisionsRepository,
    DecisionsService,
    DecisionReplay,
  ],
  exports: [EmbeddingSelection, SelectionService, ModelAvailability],
})
export class SelectionModule {}
