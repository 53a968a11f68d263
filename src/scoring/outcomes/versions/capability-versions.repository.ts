import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type SqlExecutor, toStorableJson } from '../../../common/index';
import { toServiceUnavailable } from '../../../errors/index';
import type { OutcomeCounts } from '../learning-rows.repository';
import { type CapabilityVersion, PRIOR, type VersionInForce, type VersionReason } from './capability-version';

/** Tells all processes that another version may be in force. */
export const CAPABILITIES_CHANGED = 'lattice_capabilities';
/** So many of the newest versions are kept. */
export const KEPT_VERSIONS = 200;
/** Whatever routing used until a day ago is kept as well, */
export const ALL_KEPT_HOURS = 24;
/** and then for so long, of those whose use ended in the same hour, the one that was there for longest. */
export const KEPT_DAYS = 30;

/** How far learning has come. */
export interface Progress {
  /** Of the outcomes. */
  readonly revision: string;
  readonly learned: string;
  /** Digest of the catalog's estimates that they were compared with. */
  readonly priors: string | null;
  /** Outcomes that were changed since. */
  readonly pending: number;
  /** Outcomes that the newest version rests on. */
  readonly outcomes: number;
  /** How old the newest version is; null: there is none. */
  readonly ageMs: number | null;
}

export interface NewVersion {
  readonly reason: VersionReason;
  /** UUID. */
  readonly createdBy?: string;
  readonly outcomes: OutcomeCounts;
  readonly content: unknown;
}

interface VersionRow {
  readonly version: string;
  readonly created_at: Date;
  readonly created_by: string | null;
  readonly reason: VersionReason;
  readonly outcomes: OutcomeCounts;
  readonly used_until: Date | null;
}

interface ForceRow {
  readonly version: string | null;
  readonly pinned_version: string | null;
  readonly pinned_at: Date | null;
  readonly pinned_by: string | null;
}

const COLUMNS = 'version, created_at, created_by, reason, outcomes, used_until';
const NEWEST = '(select max(version) from capability_versions)';
const IN_FORCE = `
  select coalesce(pinned_version, ${NEWEST}::text) as version, pinned_version, pinned_at, pinned_by from capability_state`;
const LIST = `
  select ${COLUMNS} from capability_versions where ($1::bigint is null or version < $1) order by version desc limit $2`;
const FIND = `select ${COLUMNS} from capability_versions where version = $1`;
const CONTENT = 'select content from capability_versions where version = $1';
const NEWEST_CONTENT = `select version, content from capability_versions where version = ${NEWEST}`;
const ADD = `
  insert into capability_versions (created_by, reason, outcomes, content) values ($1, $2, $3, $4) returning version`;
const PIN = `
  update capability_state set pinned_version = $1, pinned_by = case when $1::text is null then null else $2::uuid end,
    pinned_at = case when $1::text is null then null else clock_timestamp() end`;
const LOCK = `select pg_advisory_xact_lock(hashtextextended('lattice.capability_versions', 0))`;
const PROGRESS = `
  select revision, learned_revision as learned, learned_priors as priors,
    (revision - learned_revision)::float8 as pending,
    coalesce((newest.outcomes ->> 'api')::float8 + (newest.outcomes ->> 'csv')::float8
      + (newest.outcomes ->> 'feedback')::float8, 0) as outcomes,
    extract(epoch from clock_timestamp() - newest.created_at)::float8 * 1000 as "ageMs"
  from capability_state left join capability_versions newest on newest.version = ${NEWEST}`;
const LEARNED =
  'update capability_state set learned_revision = greatest(learned_revision, $1), learned_priors = $2';
/** Notes which version is in force, and since when others are not. */
const MARK_USE = `
  with state as (${IN_FORCE})
  update capability_versions v
  set used_until = case when v.version::text = state.version then null else clock_timestamp() end
  from state where (v.version::text = state.version) <> (v.used_until is null)`;
/** The last condition is for one that is pinned meanwhile. */
const FORGET = `
  with used as (
    select version, used_until, row_number() over (
      partition by date_trunc('hour', used_until, 'UTC') order by used_until - created_at desc, version desc) as place
    from capability_versions
  ), gone as (
    delete from capability_versions where version in (
      select version from used
      where (used_until < now() - ${KEPT_DAYS} * interval '1 day'
          or used_until < now() - ${ALL_KEPT_HOURS} * interval '1 hour' and place > 1)
        and version not in (select version from capability_versions order by version desc limit ${KEPT_VERSIONS})
      order by version limit $1)
    and used_until is not null
    returning 1)
  select count(*)::int as count from gone`;

const VERSION = /^[1-9]\d{0,17}$/;

/** The tables of versions. Whoever changes something holds the lock, so that no two processes learn the same. */
@Injectable()
export class CapabilityVersions {
  constructor(private readonly database: DataSource) {}

  /** One at a time in the whole cluster. Afterwards all processes look which version is in force. */
  async exclusively<T>(work: (executor: SqlExecutor) => Promise<T>): Promise<T> {
    return await this.database.transaction(async (executor) => {
      await executor.query(LOCK);
      return await work(executor);
    });
  }

  async inForce(executor: SqlExecutor = this.database): Promise<VersionInForce> {
    const [row] = (await executor.query(IN_FORCE)) as ForceRow[];
    return {
      version: row?.version ?? PRIOR,
      pinned: row?.pinned_version ?? undefined,
      pinnedAt: row?.pinned_at ?? undefined,
      pinnedBy: row?.pinned_by ?? undefined,
    };
  }

  async progress(executor: SqlExecutor = this.database): Promise<Progress> {
    const [row] = (await executor.query(PROGRESS)) as Progress[];
    if (!row) throw new Error('The row of capability_state is missing');
    return row;
  }

  /** Outcomes up to this revision are learned, compared with these estimates. */
  async setLearned(revision: string, priors: string, executor: SqlExecutor): Promise<void> {
    await executor.query(LEARNED, [revision, priors]);
  }

  /** @returns its number. */
  async add({ createdBy, reason, outcomes, content }: NewVersion, executor: SqlExecutor): Promise<string> {
    const parameters = [createdBy ?? null, reason, toStorableJson(outcomes), toStorableJson(content)];
    const [row] = (await executor.query(ADD, parameters)) as { readonly version: string }[];
    if (!row) throw new Error('A statement that returns a row returned none');
    await this.announce(executor);
    return row.version;
  }

  /** @param version null: the newest counts again. @param userId UUID of who decides it */
  async pin(version: string | null, userId: string, executor: SqlExecutor): Promise<void> {
    await executor.query(PIN, [version, userId]);
    await this.announce(executor);
  }

  /** Newest first. */
  async list({ limit, before }: { limit: number; before?: string }): Promise<readonly CapabilityVersion[]> {
    const rows = await this.database.query<VersionRow[]>(LIST, [before ?? null, limit]);
    return rows.map(toVersion);
  }

  async find(version: string, executor: SqlExecutor = this.database): Promise<CapabilityVersion | undefined> {
    if (!VERSION.test(version)) return undefined;
    const [row] = (await executor.query(FIND, [version])) as VersionRow[];
    return row && toVersion(row);
  }

  /** As it was stored, unchecked. @throws ServiceUnavailableError */
  async content(version: string): Promise<unknown> {
    if (!VERSION.test(version)) return undefined;
    try {
      const [row] = await this.database.query<{ content: unknown }[]>(CONTENT, [version]);
      return row?.content;
    } catch (error) {
      throw toServiceUnavailable(error) ?? error;
    }
  }

  async newestContent(
    executor: SqlExecutor,
  ): Promise<{ readonly version: string; readonly content: unknown } | undefined> {
    const [row] = (await executor.query(NEWEST_CONTENT)) as { version: string; content: unknown }[];
    return row;
  }

  /** Removes some that nothing needs any more. @returns how many. */
  async forget(limit: number): Promise<number> {
    const [row] = await this.database.query<{ count: number }[]>(FORGET, [limit]);
    return row?.count ?? 0;
  }

  private async announce(executor: SqlExecutor): Promise<void> {
    await executor.query(MARK_USE);
    await executor.query(`select pg_notify('${CAPABILITIES_CHANGED}', '')`);
  }
}

function toVersion(row: VersionRow): CapabilityVersion {
  return {
    version: row.version,
    createdAt: row.created_at,
    createdBy: row.created_by ?? undefined,
    reason: row.reason,
    outcomes: row.outcomes,
    usedUntil: row.used_until ?? undefined,
  };
}
