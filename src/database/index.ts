export { connect } from './connect';
export {
  buildDataSourceOptions,
  CONNECT_TIMEOUT_MS,
  KEEP_ALIVE,
  type PostgresOptions,
} from './data-source-options';
export { DatabaseAddress } from './database-address';
export { DatabaseHealth } from './database-health';
export { DatabaseModule } from './database.module';
export { DatabaseWatch } from './database-watch';
export { type DegradedFigures, DegradedState } from './degraded-state';
export { DatabaseServer } from './database-server';
export { EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded-postgres/embedded-postgres';
export { Follower, type Followed } from './follower';
export { HotPool } from './hot-pool';
export { type NotificationHandler, Notifications } from './notifications';
export { RowCleanup, type RowRemoval, rowRemoval } from './row-cleanup';
export { WatchedPool } from './watched-pool';
