import { Injectable } from '@nestjs/common';
import { within } from '../../common/index';
import { DatabaseAddress, DatabaseWatch } from '../../database/index';
import { DbosLogger } from './dbos-logger';
import { APPLICATION, APPLICATION_VERSION, DbosSdk } from './dbos-sdk';
import { EnginePool } from './engine-pool';
import { QueueWake } from './queue-wake.service';
import { type EnvelopeBody, RunRegistry } from './run-registry';

/** A run that brings down its process so often without getting any further is given up. */
const MAX_CRASHES = 3;
/** DBOS counts the repetitions, of which the first attempt is none. */
const MAX_RECOVERY_ATTEMPTS = MAX_CRASHES - 1;
/** Nothing here has a timetable. */
const SCHEDULES_POLL_MS = 30_000;
const POOL_END_MS = 500;

/** Starts and ends DBOS in this process, with what the registry holds. */
@Injectable()
export class DbosRunner {
  private pool?: EnginePool;

  constructor(
    private readonly address: DatabaseAddress,
    private readonly watch: DatabaseWatch,
    private readonly sdk: DbosSdk,
    private readonly registry: RunRegistry,
    private readonly logger: DbosLogger,
    private readonly wake: QueueWake,
  ) {}

  /** @param nodeId what the rows of its runs name */
  async launch(nodeId: string, pollMs: number): Promise<void> {
    const { DBOS } = await this.sdk.load();
    this.registry.close();
    this.pool = new EnginePool(this.address.url, this.watch);
    for (const [name, body] of this.registry.bodies)
      DBOS.registerWorkflow(noted(body, this.wake), { name, maxRecoveryAttempts: MAX_RECOVERY_ATTEMPTS });
    DBOS.setConfig({
      name: APPLICATION,
      systemDatabaseUrl: this.address.url,
      systemDatabasePool: this.pool,
      executorID: nodeId,
      applicationVersion: APPLICATION_VERSION,
      logger: this.logger,
      listenQueues: [...this.registry.queues.keys()],
      schedulerPollingIntervalMs: SCHEDULES_POLL_MS,
      runMigrations: false,
    });
    await this.declareQueues(this.pool, pollMs);
    this.wake.open();
    await DBOS.launch();
  }

  /** Before the launch: a queue that is declared after it is found a second later. */
  private async declareQueues(pool: EnginePool, pollMs: number): Promise<void> {
    const client = await this.sdk.now.DBOSClient.create({
      systemDatabaseUrl: this.address.url,
      systemDatabasePool: pool,
      applicationName: APPLICATION,
      logger: this.logger,
    });
    for (const name of this.registry.queues.keys())
      await client.registerQueue(name, { minPollingIntervalMs: pollMs, applicationName: APPLICATION });
    await client.destroy();
  }

  /** Waits for nothing. May be called after a launch that failed half-way. */
  async shutDown(): Promise<void> {
    const { pool } = this;
    if (!pool) return;
    this.pool = undefined;
    this.logger.hush();
    await this.sdk.now.DBOS.shutdown({ deregister: true });
    await within(POOL_END_MS, pool.end());
  }
}

function noted(body: EnvelopeBody, wake: QueueWake): EnvelopeBody {
  return async (envelope) => {
    try {
      return await body(envelope);
    } finally {
      wake.noteEnd(envelope.queue);
    }
  };
}
