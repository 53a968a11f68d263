import { ConfigurationError } from '../../errors/index';

/** One line for the person at the terminal: the folder, the reason, the remedy. */
export function unusableFolder(folder: string, reason: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError(
    `The embedded PostgreSQL cannot run in ${folder}: ${reason}. ` +
      'Set DATA_DIR to another folder, or DATABASE_URL to a PostgreSQL server of your own.',
    { cause },
  );
}
