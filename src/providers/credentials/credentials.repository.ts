import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ProviderId, RequestContext, SqlExecutor } from '../../common/index';
import type { Credential } from './credential';
import { type CredentialSecret, hintOf } from './credential-secret';
import { CredentialSecrets } from './credential-secrets';

interface CredentialRow {
  readonly id: string;
  readonly user_id: string;
  readonly provider: ProviderId;
  readonly name: string | null;
  readonly hint: string | null;
  readonly sealed: Buffer;
  readonly is_active: boolean;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly last_used_at: Date | null;
}

export interface NewCredential {
  readonly id: string;
  readonly provider: ProviderId;
  readonly name: string | null;
  readonly secret: CredentialSecret;
  readonly isActive: boolean;
}

/** What stays undefined stays as it is. */
export interface CredentialChange {
  readonly name?: string | null;
  readonly secret?: CredentialSecret;
  readonly isActive?: boolean;
}

/** Where a page begins and what it shows. */
export interface CredentialQuery {
  readonly provider?: ProviderId;
  readonly limit: number;
  /** UUID: only those made before it. */
  readonly beforeId?: string;
}

export interface OwnCount {
  readonly total: number;
  readonly active: readonly ProviderId[];
}

const COLUMNS = 'id, user_id, provider, name, hint, sealed, is_active, created_at, updated_at, last_used_at';
/** The caller's, or anyone's for an administrator. */
const VISIBLE = '($1 or user_id = $2)';

const FIND = `select ${COLUMNS} from provider_credentials where ${VISIBLE} and id = $3`;
const LIST = `
  select ${COLUMNS} from provider_credentials
  where ${VISIBLE} and ($3::text is null or provider = $3) and ($4::uuid is null or id < $4)
  order by id desc limit $5`;
const ADD = `
  insert into provider_credentials (id, user_id, provider, name, hint, sealed, is_active)
  values ($1, $2, $3, $4, $5, $6, $7) returning ${COLUMNS}`;
const CHANGE = `
  update provider_credentials set name = $3, is_active = $4, hint = case when $6::bytea is null then hint else $5 end,
    sealed = coalesce($6, sealed), updated_at = clock_timestamp()
  where user_id = $1 and id = $2 returning ${COLUMNS}`;
/** Apart, because the trigger that tells all processes listens to this column. */
const RAISE_VERSION = 'update provider_credentials set version = version + 1 where user_id = $1 and id = $2';
const REMOVE = `delete from provider_credentials where ${VISIBLE} and id = $3`;
/** Changes of one owner wait for each other, so that what is counted holds. */
const LOCK_OWNER = 'select 1 from users where id = $1 for no key update';
const OWN = 'select provider, is_active from provider_credentials where user_id = $1';

/** Credentials without their secrets: what REST shows and changes. */
@Injectable()
export class CredentialsRepository {
  constructor(
    private readonly database: DataSource,
    private readonly secrets: CredentialSecrets,
  ) {}

  async transaction<T>(work: (executor: SqlExecutor) => Promise<T>): Promise<T> {
    return await this.database.transaction(work);
  }

  /** The caller's own; any for administrators. @param executor locks it until its transaction ends. */
  async find(ctx: RequestContext, id: string, executor?: SqlExecutor): Promise<Credential | undefined> {
    const sql = executor ? `${FIND} for no key update` : FIND;
    const rows = (await (executor ?? this.database).query(sql, [...scopeOf(ctx), id])) as CredentialRow[];
    return this.firstOf(rows);
  }

  /** The secret of the caller's own credential; nobody else's, whoever asks. */
  async secretOf({ principal }: RequestContext, id: string): Promise<CredentialSecret | undefined> {
    const [row] = (await this.database.query(FIND, [false, principal.userId, id])) as CredentialRow[];
    return row && this.secrets.open({ id: row.id, userId: row.user_id, provider: row.provider }, row.sealed);
  }

  /** Newest first. */
  async list(ctx: RequestContext, { provider, limit, beforeId }: CredentialQuery): Promise<Credential[]> {
    const parameters = [...scopeOf(ctx), provider ?? null, beforeId ?? null, limit];
    const rows = await this.database.query<CredentialRow[]>(LIST, parameters);
    return rows.map((row) => this.toCredential(row));
  }

  /** What the caller has; nobody changes it until the transaction ends. */
  async lockOwn({ principal }: RequestContext, executor: SqlExecutor): Promise<OwnCount> {
    await executor.query(LOCK_OWNER, [principal.userId]);
    const rows = (await executor.query(OWN, [principal.userId])) as CredentialRow[];
    const active = rows.filter(({ is_active }) => is_active).map(({ provider }) => provider);
    return { total: rows.length, active };
  }

  async add({ principal }: RequestContext, made: NewCredential, executor: SqlExecutor): Promise<Credential> {
    const { id, provider, name, secret, isActive } = made;
    const sealed = this.secrets.seal({ id, userId: principal.userId, provider }, secret);
    const parameters = [id, principal.userId, provider, name, hintOf(secret), sealed, isActive];
    return this.onlyOf((await executor.query(ADD, parameters)) as CredentialRow[]);
  }

  /** A change of more than the name ends the use of what was stored before. */
  async change(
    before: Credential,
    { name, secret, isActive }: CredentialChange,
    executor: SqlExecutor,
  ): Promise<Credential> {
    const { id, userId } = before;
    const [rows] = (await executor.query(CHANGE, [
      userId,
      id,
      name === undefined ? before.name : name,
      isActive ?? before.isActive,
      secret ? hintOf(secret) : null,
      secret ? this.secrets.seal(before, secret) : null,
    ])) as [CredentialRow[], number];
    if (secret !== undefined || isActive !== undefined) await executor.query(RAISE_VERSION, [userId, id]);
    return this.onlyOf(rows);
  }

  async remove(ctx: RequestContext, id: string, executor: SqlExecutor): Promise<void> {
    await executor.query(REMOVE, [...scopeOf(ctx), id]);
  }

  private firstOf(rows: readonly CredentialRow[]): Credential | undefined {
    const [row] = rows;
    return row && this.toCredential(row);
  }

  private onlyOf(rows: readonly CredentialRow[]): Credential {
    const found = this.firstOf(rows);
    if (!found) throw new Error('A statement that returns a row returned none');
    return found;
  }

  private toCredential(row: CredentialRow): Credential {
    const bound = { id: row.id, userId: row.user_id, provider: row.provider };
    return {
      ...bound,
      name: row.name,
      hint: row.hint,
      state: this.secrets.open(bound, row.sealed) ? 'ready' : 'unreadable',
      isActive: row.is_active,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      lastUsedAt: row.last_used_at,
    };
  }
}

function scopeOf({ principal }: RequestContext): [boolean, string] {
  return [principal.role === 'admin', principal.userId];
}
