import type { SqlExecutor } from '../../../src/common/index';
import { eventually } from '../eventually';

const WAITING = `
  select count(*)::integer as count from pg_stat_activity
  where datname = current_database() and wait_event_type = 'Lock' and strpos(query, $1) > 0`;

/** Until so many connections to this database wait for a lock, with a statement that has these words. */
export async function untilSomeoneWaits(
  database: SqlExecutor,
  { count = 1, words = '' }: { readonly count?: number; readonly words?: string } = {},
): Promise<void> {
  await eventually(async () => {
    const [row] = (await database.query(WAITING, [words])) as { count: number }[];
    return row && row.count >= count ? row : undefined;
  }, 10_000);
}
