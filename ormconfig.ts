import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { loadConfig } from './src/config/index';
import { buildDataSourceOptions } from './src/database/index';
import { ConfigurationError } from './src/errors/index';

/** The data source of TypeORM's command line (`npm run migration:*`). */
const config = loadConfig();
if (!config.databaseUrl) {
  throw new ConfigurationError('Set DATABASE_URL: the migration commands work on a running PostgreSQL');
}

export default new DataSource(buildDataSourceOptions(config.databaseUrl, config.databasePoolSize));
