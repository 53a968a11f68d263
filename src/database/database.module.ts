import {
  type DynamicModule,
  Global,
  Logger,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { defaults, type PoolConfig } from 'pg';
import { AppConfig } from '../config/index';
import { connect } from './connect';
import { buildDataSourceOptions, type PostgresOptions } from './data-source-options';
import { DatabaseAddress } from './database-address';
import { DatabaseHealth } from './database-health';
import { DatabaseWatch } from './database-watch';
import { DegradedState } from './degraded-state';
import { HotPool } from './hot-pool';
import { Notifications } from './notifications';
import { WatchedPool } from './watched-pool';

const logger = new Logger('Database');

/** The data source (migrated), the ledger's hot pool, and their health. All end after every other module has ended. */
@Global()
@Module({})
export class DatabaseModule implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly hotPool: HotPool,
    private readonly watch: DatabaseWatch,
  ) {}

  /** @param url of a server that runs, from `DatabaseServer.open` */
  static forRoot(url: string): DynamicModule {
    const watch = new DatabaseWatch(url);
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          inject: [AppConfig],
          useFactory: (config: AppConfig) => ({
            ...buildDataSourceOptions(url, config.databasePoolSize),
            driver: { defaults, Pool: watchedBy(watch) },
            poolErrorHandler: warnOfLostConnection,
            // `connect` waits by itself, and a broken migration must fail at once.
            retryAttempts: 0,
          }),
          dataSourceFactory: (options) => connect({ ...(options as PostgresOptions), url }),
        }),
      ],
      providers: [
        { provide: DatabaseAddress, useValue: new DatabaseAddress(url) },
        { provide: DatabaseWatch, useValue: watch },
        { provide: HotPool, useFactory: () => openHotPool(url, watch) },
        { provide: Notifications, useFactory: () => new Notifications(url, watch) },
        DatabaseHealth,
        DegradedState,
      ],
      exports: [DatabaseAddress, DatabaseWatch, HotPool, Notifications, DatabaseHealth, DegradedState],
    };
  }

  onModuleInit(): void {
    this.watch.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.watch.stop();
    await this.hotPool.end();
  }
}

/** TypeORM makes its pool itself, of the class that its driver names. */
function watchedBy(watch: DatabaseWatch): new (config: PoolConfig) => WatchedPool {
  return class extends WatchedPool {
    constructor(config: PoolConfig) {
      super(config, watch);
    }
  };
}

function openHotPool(url: string, watch: DatabaseWatch): HotPool {
  const pool = new HotPool({ connectionString: url }, watch);
  pool.on('error', warnOfLostConnection);
  return pool;
}

function warnOfLostConnection(error: Error): void {
  logger.warn(`A database connection was lost: ${error.message}`);
}
