import { Global, Module } from '@nestjs/common';
import { AppConfig } from '../config/index';
import { AppLogger } from './app-logger';
import { BackgroundTasks } from './background-tasks';
import { Metrics } from './metrics';
import { OpenRequests } from './open-requests';

const PARTS = [BackgroundTasks, Metrics, OpenRequests];

@Global()
@Module({
  providers: [
    { provide: AppLogger, useFactory: (config: AppConfig) => new AppLogger(config), inject: [AppConfig] },
    ...PARTS,
  ],
  exports: [AppLogger, ...PARTS],
})
export class ObservabilityModule {}
