import { type DynamicModule, Global, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AppConfig } from '../config/index';
import { connect } from './connect';
import { buildDataSourceOptions, type PostgresOptions } from './data-source-options';
import { DatabaseHealth } from './database-health';
import { HotPool } from './hot-pool';
import { Notifications } from './notifications';

const logger = new Logger('Database');

/** The data source (migrated), the ledger's hot pool, and their health. Both end after every other module has ended. */
@Global()
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(private readonly hotPool: HotPool) {}

  /** @param url of a server that runs, from `DatabaseServer.open` */
  static forRoot(url: string): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          inject: [AppConfig],
          useFactory: (config: AppConfig) => ({
            ...buildDataSourceOptions(url, config.databasePoolSize),
            poolErrorHandler: warnOfLostConnection,
            // `connect` waits by itself, and a broken migration must fail at once.
            retryAttempts: 0,
          }),
          dataSourceFactory: (options) => connect({ ...(options as PostgresOptions), url }),
        }),
      ],
      providers: [
        { provide: HotPool, useFactory: () => openHotPool(url) },
        { provide: Notifications, useFactory: () => new Notifications(url) },
        DatabaseHealth,
      ],
      exports: [HotPool, Notifications, DatabaseHealth],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.hotPool.end();
  }
}

function openHotPool(url: string): HotPool {
  const pool = new HotPool({ connectionString: url });
  pool.on('error', warnOfLostConnection);
  return pool;
}

function warnOfLostConnection(error: Error): void {
  logger.warn(`A database connection was lost: ${error.message}`);
}
