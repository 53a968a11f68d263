export { toServiceUnavailable } from '../errors/index';
export { connect } from './connect';
export { buildDataSourceOptions, type PostgresOptions } from './data-source-options';
export { DatabaseHealth } from './database-health';
export { DatabaseModule } from './database.module';
export { DatabaseServer } from './database-server';
export { EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded-postgres/embedded-postgres';
export { HotPool } from './hot-pool';
export { type NotificationHandler, Notifications } from './notifications';
