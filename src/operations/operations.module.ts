import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/index';
import { ProvidersModule } from '../providers/index';
import { HealthController } from './health.controller';
import { MetricsController } from './metrics.controller';
import { ReadinessService } from './readiness.service';

@Module({
  imports: [AuthModule, ProvidersModule],
  controllers: [HealthController, MetricsController],
  providers: [ReadinessService],
  exports: [ReadinessService],
})
export class OperationsModule {}
