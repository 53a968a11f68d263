import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { SqlExecutor } from '../../common/index';
import type { RoutingPreferences } from './routing-preferences';

/** Where the trigger on the table tells of changes. */
export const PREFERENCES_CHANGED = 'lattice_preferences';

export interface OwnedPreferences extends RoutingPreferences {
  /** UUID. */
  readonly userId: string;
  readonly updatedAt: Date;
}

interface PreferencesRow {
  readonly user_id: string;
  readonly strategies: RoutingPreferences['strategies'];
  readonly quality: number | null;
  readonly answer_worth_usd: number | null;
  readonly updated_at: Date;
}

const COLUMNS = 'user_id, strategies, quality, answer_worth_usd, updated_at';
const ALL = `select ${COLUMNS} from routing_preferences`;
const FIND = `${ALL} where user_id = $1`;
const SET = `
  insert into routing_preferences (user_id, strategies, quality, answer_worth_usd) values ($1, $2, $3, $4)
  on conflict (user_id) do update set strategies = excluded.strategies, quality = excluded.quality,
    answer_worth_usd = excluded.answer_worth_usd, updated_at = clock_timestamp()
  returning ${COLUMNS}`;
const REMOVE = 'delete from routing_preferences where user_id = $1';
/** Changes of one owner wait for each other, and the owner stays meanwhile. */
const LOCK_OWNER = 'select id from users where id = $1 for no key update';

/** Preferences in PostgreSQL. Whose are reached is decided by the caller. */
@Injectable()
export class PreferencesRepository {
  constructor(private readonly database: DataSource) {}

  async transaction<T>(work: (executor: SqlExecutor) => Promise<T>): Promise<T> {
    return await this.database.transaction(work);
  }

  async all(): Promise<OwnedPreferences[]> {
    return (await this.database.query<PreferencesRow[]>(ALL)).map(toPreferences);
  }

  /** @param userId UUID */
  async find(userId: string, executor: SqlExecutor = this.database): Promise<OwnedPreferences | undefined> {
    const [row] = (await executor.query(FIND, [userId])) as PreferencesRow[];
    return row && toPreferences(row);
  }

  /** False: there is no such user. */
  async lockOwner(userId: string, executor: SqlExecutor): Promise<boolean> {
    return ((await executor.query(LOCK_OWNER, [userId])) as unknown[]).length > 0;
  }

  async hasUser(userId: string): Promise<boolean> {
    const rows = await this.database.query<unknown[]>('select 1 from users where id = $1', [userId]);
    return rows.length > 0;
  }

  async set(
    userId: string,
    { strategies, quality, answerWorthUsd }: RoutingPreferences,
    executor: SqlExecutor,
  ): Promise<void> {
    const values = [userId, JSON.stringify(strategies), quality ?? null, answerWorthUsd ?? null];
    await executor.query(SET, values);
  }

  async remove(userId: string, executor: SqlExecutor): Promise<void> {
    await executor.query(REMOVE, [userId]);
  }
}

function toPreferences(row: PreferencesRow): OwnedPreferences {
  const {
    user_id: userId,
    strategies,
    quality,
    answer_worth_usd: answerWorthUsd,
    updated_at: updatedAt,
  } = row;
  return {
    userId,
    strategies,
    quality: quality ?? undefined,
    answerWorthUsd: answerWorthUsd ?? undefined,
    updatedAt,
  };
}
