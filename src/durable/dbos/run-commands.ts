import { Injectable } from '@nestjs/common';
import type { DBOSClient, WorkflowStatus } from '@dbos-inc/dbos-sdk';
import type { Pool, PoolClient } from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import type { JsonValue } from '../../common/index';
import { DatabaseAddress } from '../../database/index';
import type { RunState, RunStatus, Start } from '../durable-engine';
import { RUNS_LOST, WAKE_CHANNEL } from '../wake-channel';
import { DbosLogger } from './dbos-logger';
import { APPLICATION, APPLICATION_VERSION, DbosSdk } from './dbos-sdk';
import type { Envelope } from './run-registry';

const STATES: Readonly<Record<string, RunState>> = {
  DELAYED: 'waiting',
  ENQUEUED: 'waiting',
  PENDING: 'running',
  SUCCESS: 'succeeded',
  ERROR: 'failed',
  CANCELLED: 'cancelled',
  MAX_RECOVERY_ATTEMPTS_EXCEEDED: 'given_up',
};
const NOTIFY = `select pg_notify('${WAKE_CHANNEL}', $1)`;

/** What can be asked for from outside of runs, in every process, on the connections of its requests. */
@Injectable()
export class RunCommands {
  private made?: Promise<DBOSClient>;

  constructor(
    private readonly database: DataSource,
    private readonly address: DatabaseAddress,
    private readonly sdk: DbosSdk,
    private readonly logger: DbosLogger,
  ) {}

  async enqueue(tx: EntityManager, name: string, starts: readonly Start[]): Promise<void> {
    // Outside of a transaction it would start at once, whatever becomes of the rest.
    if (!tx.queryRunner?.isTransactionActive) throw new Error('A run is started in a transaction only');
    const client = await this.client();
    const connection = (await tx.queryRunner.connect()) as PoolClient;
    for (const { id, queue, input, delayMs = 0 } of starts) {
      const options = {
        workflowName: name,
        workflowID: id,
        queueName: queue,
        appVersion: APPLICATION_VERSION,
        delaySeconds: DbosSdk.seconds(delayMs),
      };
      await client.enqueueInTransaction(connection, options, { input, queue } satisfies Envelope);
    }
    const now = starts.filter(({ delayMs = 0 }) => delayMs === 0);
    for (const queue of new Set(now.map((start) => start.queue))) await tx.query(NOTIFY, [queue]);
  }

  /** A queue has work. */
  async wake(queue: string): Promise<void> {
    await this.database.query(NOTIFY, [queue]);
  }

  async signal(runId: string, topic: string, value: JsonValue): Promise<void> {
    const client = await this.client();
    await client.send(runId, value, topic);
  }

  async cancel(runIds: readonly string[]): Promise<void> {
    if (runIds.length === 0) return;
    const client = await this.client();
    await client.cancelWorkflows([...runIds], { cancelChildren: true });
    await this.database.query(NOTIFY, [RUNS_LOST]);
  }

  async statuses(runIds: readonly string[]): Promise<readonly RunStatus[]> {
    if (runIds.length === 0) return [];
    const client = await this.client();
    const found = await client.listWorkflows({
      workflowIDs: [...runIds],
      loadInput: false,
      loadOutput: true,
    });
    return found.map(toRunStatus);
  }

  private async client(): Promise<DBOSClient> {
    this.made ??= this.make();
    return await this.made;
  }

  /** It holds nothing: its connections are those of the data source. */
  private async make(): Promise<DBOSClient> {
    const { DBOSClient: Client } = await this.sdk.load();
    const { master } = this.database.driver as unknown as { readonly master: Pool };
    return await Client.create({
      systemDatabaseUrl: this.address.url,
      systemDatabasePool: master,
      applicationName: APPLICATION,
      logger: this.logger,
    });
  }
}

function toRunStatus({ workflowID, status, output, error }: WorkflowStatus): RunStatus {
  return {
    id: workflowID,
    state: STATES[status] ?? 'failed',
    ...(output === undefined || output === null ? {} : { output: output as JsonValue }),
    ...(error instanceof Error ? { error: error.message } : {}),
  };
}
