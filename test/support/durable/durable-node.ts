import { type DynamicModule, Module } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { Test } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import type { JsonValue } from '../../../src/common/index';
import { ConfigModule, loadConfig } from '../../../src/config/index';
import { DatabaseModule } from '../../../src/database/index';
import { DurableCleanup } from '../../../src/durable/durable-cleanup';
import {
  DurableEngine,
  DurableModule,
  DurableWorker,
  type RunStatus,
  type StartOptions,
} from '../../../src/durable/index';
import { Membership } from '../../../src/durable/membership';
import { ErrorsModule } from '../../../src/errors/index';
import { ObservabilityModule } from '../../../src/observability/index';
import { eventually } from '../eventually';

const RUN_LIMIT_MS = 15_000;

@Module({})
class Installation {
  static on(url: string, env: NodeJS.ProcessEnv): DynamicModule {
    return {
      module: Installation,
      imports: [
        ConfigModule.forRoot(loadConfig(env)),
        EventEmitterModule.forRoot(),
        ObservabilityModule,
        ErrorsModule,
        DatabaseModule.forRoot(url),
        DurableModule,
      ],
    };
  }
}

export interface DurableNode {
  readonly engine: DurableEngine;
  readonly worker: DurableWorker;
  readonly cleanup: DurableCleanup;
  readonly database: DataSource;
  readonly nodeId: string;
  /** In a transaction of its own. */
  enqueue(
    name: string,
    input: JsonValue,
    options: Pick<StartOptions, 'id'> & Partial<StartOptions>,
  ): Promise<void>;
  status(id: string): Promise<RunStatus | undefined>;
  /** Once it is neither waiting nor running. */
  ended(id: string): Promise<RunStatus>;
  close(): Promise<void>;
}

export const QUEUE = 'work';
const ENV: NodeJS.ProcessEnv = {
  LATTICE_ENV: 'test',
  LATTICE_SECRET_KEY: 'a-secret-for-tests-only-0123456789',
  LOG_LEVEL: 'silent',
  DATA_DIR: '/nonexistent',
  DURABLE_POLL_MS: '200',
};

/**
 * The durable engine alone, as one process has it. One at a time: DBOS is there once in a process.
 * @param define makes workflows known, as constructors do
 */
export async function startDurableNode(
  url: string,
  define: (engine: DurableEngine, database: DataSource) => void,
  env: NodeJS.ProcessEnv = {},
): Promise<DurableNode> {
  const all = { ...ENV, ...env };
  const module = await Test.createTestingModule({ imports: [Installation.on(url, all)] }).compile();
  module.useLogger(false);
  const engine = module.get(DurableEngine);
  const worker = module.get(DurableWorker);
  const database = module.get(DataSource);
  engine.queue(QUEUE, { perNode: 20 });
  define(engine, database);
  await module.init();
  await worker.start();
  const status = async (id: string): Promise<RunStatus | undefined> => (await engine.statuses([id]))[0];
  return {
    engine,
    worker,
    cleanup: module.get(DurableCleanup),
    database,
    nodeId: module.get(Membership).nodeId,
    enqueue: (name, input, options) =>
      database.transaction((tx) => engine.enqueue(tx, name, input, { queue: QUEUE, ...options })),
    status,
    ended: (id) =>
      eventually(async () => {
        const found = await status(id);
        return found && found.state !== 'waiting' && found.state !== 'running' ? found : undefined;
      }, RUN_LIMIT_MS),
    close: async () => {
      await worker.stop();
      await module.close();
    },
  };
}

/** Something that is waited for from both sides. */
export class Gate {
  private open: () => void = () => undefined;
  readonly passed = new Promise<void>((resolve) => (this.open = resolve));

  pass(): void {
    this.open();
  }
}

/** Rejects when the signal is aborted. */
export function endOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });
}
