import { Global, Module } from '@nestjs/common';
import { DbosEngine } from './dbos/dbos-engine.adapter';
import { DbosLogger } from './dbos/dbos-logger';
import { DbosRunner } from './dbos/dbos-runner.service';
import { DbosSdk } from './dbos/dbos-sdk';
import { QueueWake } from './dbos/queue-wake.service';
import { RunCommands } from './dbos/run-commands';
import { RunRegistry } from './dbos/run-registry';
import { Departure } from './departure';
import { DurableCleanup } from './durable-cleanup';
import { DurableEngine } from './durable-engine';
import { DurableWorker } from './durable-worker.service';
import { Fence } from './fence';
import { Membership } from './membership';
import { RunningSteps } from './running-steps';
import { TakeOver } from './take-over';

/** Runs that survive the death of any process. */
@Global()
@Module({
  providers: [
    { provide: DurableEngine, useClass: DbosEngine },
    DbosLogger,
    DbosRunner,
    DbosSdk,
    Departure,
    DurableCleanup,
    DurableWorker,
    Fence,
    Membership,
    QueueWake,
    RunCommands,
    RunningSteps,
    RunRegistry,
    TakeOver,
  ],
  exports: [DurableEngine, DurableWorker],
})
export class DurableModule {}
