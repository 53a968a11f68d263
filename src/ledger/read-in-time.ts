import type { DataSource } from 'typeorm';
import { ServiceUnavailableError } from '../errors/index';

/** Listings share their connections with everything that people do: none may keep one for longer. */
const LIMIT_MS = 15_000;
const STATEMENT_TIMEOUT = '57014';

/** Reads what may be much. @throws ServiceUnavailableError when it takes too long. */
export async function readInTime<Row>(
  database: DataSource,
  sql: string,
  values: unknown[],
  limitMs = LIMIT_MS,
): Promise<readonly Row[]> {
  try {
    return await database.transaction(async (manager) => {
      await manager.query(`set local statement_timeout = ${limitMs}`);
      return await manager.query<Row[]>(sql, values);
    });
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== STATEMENT_TIMEOUT) throw cause;
    throw new ServiceUnavailableError(
      `This is more usage than can be read in ${limitMs / 1000} s: ask for a shorter period (from, to), or for less`,
      { cause },
    );
  }
}
