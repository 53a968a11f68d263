import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RequestContext, SqlExecutor } from '../common/index';
import type { AgentDefinition } from './agent';

/** What may be set on an agent; its type stays. */
export type AgentSettings = Omit<AgentDefinition, 'type'>;

/** An agent type of a user. Ids are UUIDs. */
export interface OwnAgent extends AgentDefinition {
  readonly id: string;
  readonly userId: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export function settingsOf(agent: AgentSettings): AgentSettings {
  const { description, capabilities, model, fallbackModels, prompt, tools, mode, limits } = agent;
  return { description, capabilities, model, fallbackModels, prompt, tools, mode, limits };
}

interface AgentRow {
  readonly id: string;
  readonly userId: string;
  readonly type: string;
  readonly definition: AgentSettings;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const COLUMNS =
  'id, user_id as "userId", type, definition, created_at as "createdAt", updated_at as "updatedAt"';
/** By type only the caller's own: another user may have one of the same type. */
const FIND_TYPE = `select ${COLUMNS} from agents where user_id = $1 and type = $2`;
/** By id the caller's, or anyone's for an administrator. */
const FIND_ID = `select ${COLUMNS} from agents where ($1 or user_id = $2) and id = $3`;
const LIST = `select ${COLUMNS} from agents where user_id = $1`;
const ADD = `insert into agents (id, user_id, type, definition) values ($1, $2, $3, $4) returning ${COLUMNS}`;
const CHANGE = `
  update agents set definition = $4, updated_at = clock_timestamp()
  where ($1 or user_id = $2) and id = $3 returning ${COLUMNS}`;
const REMOVE = 'delete from agents where ($1 or user_id = $2) and id = $3';
/** Creations of one user wait for each other, so that count and types hold. */
const LOCK_USER = 'select 1 from users where id = $1 for no key update';

@Injectable()
export class AgentsRepository {
  constructor(private readonly database: DataSource) {}

  async transaction<T>(work: (executor: SqlExecutor) => Promise<T>): Promise<T> {
    return await this.database.transaction(work);
  }

  /** @param executor locks the agent until its transaction ends. */
  async findByType(
    { principal }: RequestContext,
    type: string,
    executor?: SqlExecutor,
  ): Promise<OwnAgent | undefined> {
    return await this.find(FIND_TYPE, [principal.userId, type], executor);
  }

  /** @param executor locks the agent until its transaction ends. */
  async findById(ctx: RequestContext, id: string, executor?: SqlExecutor): Promise<OwnAgent | undefined> {
    return await this.find(FIND_ID, [...scopeOf(ctx), id], executor);
  }

  /** All of the caller's; administrators, too, get but their own. */
  async listOwn({ principal }: RequestContext): Promise<OwnAgent[]> {
    const rows = await this.database.query<AgentRow[]>(LIST, [principal.userId]);
    return rows.map(toAgent);
  }

  /** The types that the caller has; nobody else adds one for the caller until the transaction ends. */
  async lockOwnTypes({ principal }: RequestContext, executor: SqlExecutor): Promise<readonly string[]> {
    await executor.query(LOCK_USER, [principal.userId]);
    const rows = (await executor.query(LIST, [principal.userId])) as AgentRow[];
    return rows.map(({ type }) => type);
  }

  async add(
    { principal }: RequestContext,
    made: { readonly id: string; readonly type: string; readonly settings: AgentSettings },
    executor: SqlExecutor,
  ): Promise<OwnAgent> {
    const parameters = [made.id, principal.userId, made.type, JSON.stringify(made.settings)];
    return only((await executor.query(ADD, parameters)) as AgentRow[]);
  }

  /** Of an agent that the transaction has locked. */
  async change(
    ctx: RequestContext,
    id: string,
    settings: AgentSettings,
    executor: SqlExecutor,
  ): Promise<OwnAgent> {
    const parameters = [...scopeOf(ctx), id, JSON.stringify(settings)];
    const [rows] = (await executor.query(CHANGE, parameters)) as [AgentRow[], number];
    return only(rows);
  }

  async remove(ctx: RequestContext, id: string, executor: SqlExecutor): Promise<void> {
    await executor.query(REMOVE, [...scopeOf(ctx), id]);
  }

  private async find(
    sql: string,
    parameters: unknown[],
    executor?: SqlExecutor,
  ): Promise<OwnAgent | undefined> {
    const locked = executor ? `${sql} for no key update` : sql;
    const [row] = (await (executor ?? this.database).query(locked, parameters)) as AgentRow[];
    return row && toAgent(row);
  }
}

function scopeOf({ principal }: RequestContext): [boolean, string] {
  return [principal.role === 'admin', principal.userId];
}

function toAgent({ definition, ...row }: AgentRow): OwnAgent {
  return Object.freeze({ ...definition, ...row });
}

function only([row]: readonly AgentRow[]): OwnAgent {
  if (!row) throw new Error('A statement that returns a row returned none');
  return toAgent(row);
}
