import { Injectable, Logger } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { MEASURE } from './performance.query';
import { type PerformanceContent, PerformanceTable } from './performance-table';
import { type MeasuredModel, roundedPerformance } from './rounded-performance';

/** The channel that tells other processes of another table. */
export const PERFORMANCE_CHANGED = 'lattice_performance';

/** Any number that nothing else locks; the same on every node. */
const MEASURE_LOCK = 7_310_021;
/** What takes longer is given up; the figures of the last time hold on. */
const LIMIT_MS = 10_000;

interface StoredRow {
  readonly version: string;
  readonly content: PerformanceContent;
}

const LATEST = `
  select version, content, used_at > now() - make_interval(secs => $1) as "isRecent"
  from routing_performance order by used_at desc limit 1`;
const KEEP = `
  insert into routing_performance (version, content) values ($1, $2)
  on conflict (version) do update set used_at = now()`;
const FIND = 'select version, content from routing_performance where version = $1';

/** The tables that ever decided, in PostgreSQL. The one that was used last is the one in force, in every process. */
@Injectable()
export class PerformanceStore {
  private readonly logger = new Logger(PerformanceStore.name);

  constructor(private readonly database: DataSource) {}

  /** Undefined: not kept any more. */
  async find(version: string): Promise<PerformanceTable | undefined> {
    const [row] = await this.database.query<StoredRow[]>(FIND, [version]);
    return row && this.opened(row);
  }

  /**
   * The table in force. When it is time, one of the processes measures anew; it is stored before anybody decides with it.
   * @param maxAgeMs how long ago it may have been measured
   */
  async current(maxAgeMs: number): Promise<PerformanceTable> {
    return await this.database.transaction(async (manager) => {
      await manager.query(`set local statement_timeout = ${LIMIT_MS}`);
      const [lock] = await manager.query<{ isMine: boolean }[]>(
        'select pg_try_advisory_xact_lock($1) as "isMine"',
        [MEASURE_LOCK],
      );
      const [latest] = await manager.query<(StoredRow & { isRecent: boolean })[]>(LATEST, [maxAgeMs / 1000]);
      const inForce = (latest && this.opened(latest)) ?? PerformanceTable.empty;
      if (!lock?.isMine || latest?.isRecent) return inForce;
      return await this.measure(manager, inForce);
    });
  }

  private async measure(manager: EntityManager, before: PerformanceTable): Promise<PerformanceTable> {
    const measured = await manager.query<MeasuredModel[]>(MEASURE);
    const table = roundedPerformance(before, measured);
    await manager.query(KEEP, [table.version, JSON.stringify(table.content)]);
    if (table.version !== before.version) {
      await manager.query('select pg_notify($1, $2)', [PERFORMANCE_CHANGED, table.version]);
    }
    return table;
  }

  /** Undefined when it is not what its version says. */
  private opened({ version, content }: StoredRow): PerformanceTable | undefined {
    const table = PerformanceTable.of(content);
    if (table.version === version) return table;
    this.logger.error(`routing_performance ${version} was changed by somebody: it is left alone`);
    return undefined;
  }
}
