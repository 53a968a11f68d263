import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RequestContext, SqlExecutor } from '../../common/index';
import { McpHeaderSeals } from './mcp-headers';
import type { McpHeaders, McpServer, McpServerAccess } from './mcp-server';

interface McpServerRow {
  readonly id: string;
  readonly user_id: string;
  readonly name: string;
  readonly url: string;
  readonly header_names: string[];
  readonly sealed: Buffer | null;
  readonly version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export interface NewMcpServer {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly headers: McpHeaders;
}

/** What stays undefined stays as it is. */
export type McpServerChange = Partial<Omit<NewMcpServer, 'id'>>;

const COLUMNS = 'id, user_id, name, url, header_names, sealed, version, created_at, updated_at';
/** The caller's, or anyone's for an administrator. */
const VISIBLE = '($1 or user_id = $2)';

const FIND = `select ${COLUMNS} from mcp_servers where ${VISIBLE} and id = $3`;
const LIST = `
  select ${COLUMNS} from mcp_servers
  where ${VISIBLE} and ($3::uuid is null or id < $3) order by id desc limit $4`;
const ADD = `
  insert into mcp_servers (id, user_id, name, url, header_names, sealed)
  values ($1, $2, $3, $4, $5, $6) returning ${COLUMNS}`;
const CHANGE = `
  update mcp_servers set name = $3, url = $4,
    header_names = case when $5 then $6 else header_names end, sealed = case when $5 then $7 else sealed end,
    version = version + 1, updated_at = clock_timestamp()
  where user_id = $1 and id = $2 returning ${COLUMNS}`;
const REMOVE = `delete from mcp_servers where ${VISIBLE} and id = $3`;
/** Changes of one owner wait for each other, so that what is counted holds. */
const LOCK_OWNER = 'select 1 from users where id = $1 for no key update';
const OWN = `select ${COLUMNS} from mcp_servers where user_id = $1 order by id`;
const OLDER_SEALS = `
  select ${COLUMNS} from mcp_servers
  where sealed is not null and substring(sealed from 1 for 4) <> $1 and ($2::uuid is null or id > $2)
  order by id limit $3`;
/** Not when they were set again meanwhile. The version stays: they are the same headers. */
const RESEAL = 'update mcp_servers set sealed = $3 where id = $1 and sealed = $2';

/** MCP servers of users. */
@Injectable()
export class McpServersRepository {
  constructor(
    private readonly database: DataSource,
    private readonly seals: McpHeaderSeals,
  ) {}

  async transaction<T>(work: (executor: SqlExecutor) => Promise<T>): Promise<T> {
    return await this.database.transaction(work);
  }

  /** The caller's own; any for administrators. @param executor locks it until its transaction ends. */
  async find(ctx: RequestContext, id: string, executor?: SqlExecutor): Promise<McpServer | undefined> {
    const sql = executor ? `${FIND} for no key update` : FIND;
    const [row] = (await (executor ?? this.database).query(sql, [...scopeOf(ctx), id])) as McpServerRow[];
    return row && toServer(row);
  }

  /** Newest first. @param beforeId only those made before it */
  async list(ctx: RequestContext, limit: number, beforeId?: string): Promise<McpServer[]> {
    const rows = await this.database.query<McpServerRow[]>(LIST, [...scopeOf(ctx), beforeId ?? null, limit]);
    return rows.map(toServer);
  }

  /** All of one user, in the order they were made, with what is needed to call them. */
  async accessOf(userId: string): Promise<readonly McpServerAccess[]> {
    const rows = await this.database.query<McpServerRow[]>(OWN, [userId]);
    return rows.map((row) => ({ ...toServer(row), headers: this.seals.open(boundOf(row), row.sealed) }));
  }

  /** What the caller has; nobody changes it until the transaction ends. */
  async lockOwn({ principal }: RequestContext, executor: SqlExecutor): Promise<readonly McpServer[]> {
    await executor.query(LOCK_OWNER, [principal.userId]);
    return ((await executor.query(OWN, [principal.userId])) as McpServerRow[]).map(toServer);
  }

  async add({ principal }: RequestContext, made: NewMcpServer, executor: SqlExecutor): Promise<McpServer> {
    const { userId } = principal;
    const { id, name, url, headers } = made;
    const sealed = this.seals.seal({ id, userId }, headers);
    const parameters = [id, userId, name, url, Object.keys(headers), sealed];
    return onlyOf((await executor.query(ADD, parameters)) as McpServerRow[]);
  }

  async change(before: McpServer, change: McpServerChange, executor: SqlExecutor): Promise<McpServer> {
    const { name = before.name, url = before.url, headers } = change;
    const [rows] = (await executor.query(CHANGE, [
      before.userId,
      before.id,
      name,
      url,
      headers !== undefined,
      Object.keys(headers ?? {}),
      this.seals.seal(before, headers ?? {}),
    ])) as [McpServerRow[], number];
    return onlyOf(rows);
  }

  async remove(ctx: RequestContext, id: string, executor: SqlExecutor): Promise<void> {
    await executor.query(REMOVE, [...scopeOf(ctx), id]);
  }

  /**
   * Seals with the current secret key what an earlier one had sealed, `limit` at a time.
   * @returns the id to go on after; undefined at the end.
   */
  async resealSome(limit: number, afterId?: string): Promise<string | undefined> {
    const parameters = [this.seals.currentHead, afterId ?? null, limit];
    const rows = await this.database.query<McpServerRow[]>(OLDER_SEALS, parameters);
    for (const row of rows) {
      const headers = this.seals.open(boundOf(row), row.sealed);
      if (headers) {
        await this.database.query(RESEAL, [row.id, row.sealed, this.seals.seal(boundOf(row), headers)]);
      }
    }
    return rows.length === limit ? rows.at(-1)?.id : undefined;
  }
}

function scopeOf({ principal }: RequestContext): [boolean, string] {
  return [principal.role === 'admin', principal.userId];
}

function onlyOf([row]: readonly McpServerRow[]): McpServer {
  if (!row) throw new Error('A statement that returns a row returned none');
  return toServer(row);
}

function boundOf({ id, user_id: userId }: McpServerRow): Pick<McpServer, 'id' | 'userId'> {
  return { id, userId };
}

function toServer(row: McpServerRow): McpServer {
  const { id, user_id: userId, name, url, header_names: headerNames, version } = row;
  return {
    id,
    userId,
    name,
    url,
    headerNames,
    version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
