import { Global, Module } from '@nestjs/common';
import { AuthModule } from '../auth/index';
import { AuditSink } from '../errors/index';
import { ProvidersModule } from '../providers/index';
import { AuditController } from './audit.controller';
import { AuditLog } from './audit-log';
import { AuditPages } from './audit.pages';
import { HealthController } from './health.controller';
import { MetricsController } from './metrics.controller';
import { ReadinessService } from './readiness.service';

/** Global for the audit log only: every module records into it through the port that `errors/` declares. */
@Global()
@Module({
  imports: [AuthModule, ProvidersModule],
  controllers: [HealthController, MetricsController, AuditController],
  providers: [ReadinessService, AuditLog, AuditPages, { provide: AuditSink, useExisting: AuditLog }],
  exports: [ReadinessService, AuditSink],
})
export class OperationsModule {}
