import { Module } from '@nestjs/common';
import { Cursors } from '../../auth/index';
import { CatalogModule } from '../../catalog/index';
import { AnsweredRequests } from './answered-requests.repository';
import { Capabilities } from './capabilities.service';
import { CsvBodies } from './csv-bodies';
import { FeedbackService } from './feedback.service';
import { LearningRows } from './learning-rows.repository';
import { OutcomePages } from './outcome.pages';
import { OutcomeReports } from './outcome-reports.service';
import { OutcomesController } from './outcomes.controller';
import { OutcomesRepository } from './outcomes.repository';
import { OutcomesService } from './outcomes.service';
import { CapabilitiesController } from './versions/capabilities.controller';
import { CapabilityLearning } from './versions/capability-learning.service';
import { CapabilityPages } from './versions/capability.pages';
import { CapabilityPins } from './versions/capability-pins.service';
import { CapabilityRefresh } from './versions/capability-refresh.service';
import { CapabilityVersions } from './versions/capability-versions.repository';
import { OldCapabilityVersions } from './versions/old-capability-versions.service';

/** Learning from outcomes. Needs the database and the AuditSink, both global. */
@Module({
  imports: [CatalogModule],
  controllers: [CapabilitiesController, OutcomesController],
  providers: [
    AnsweredRequests,
    Capabilities,
    CapabilityLearning,
    CapabilityPages,
    CapabilityPins,
    CapabilityRefresh,
    CapabilityVersions,
    CsvBodies,
    Cursors,
    FeedbackService,
    LearningRows,
    OldCapabilityVersions,
    OutcomePages,
    OutcomeReports,
    OutcomesRepository,
    OutcomesService,
  ],
  exports: [Capabilities, FeedbackService],
})
export class OutcomesModule {}
