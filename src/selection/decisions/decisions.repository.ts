import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { OwnedResource } from '../../auth/index';
import { firstIdAt, type JsonObject, type RequestContext } from '../../common/index';
import { ServiceUnavailableError } from '../../errors/index';

/** For `@OwnedBy`. */
export const DECISION: OwnedResource = { prefix: 'dec', name: 'decision', table: 'decisions' };

/** A stored decision. UUIDs. */
export interface StoredDecision {
  readonly id: string;
  readonly requestId: string;
  readonly userId: string;
  readonly createdAt: Date;
  readonly record: JsonObject;
  /** What the key that asked is restricted to by now; undefined: nothing, or there was no key. */
  readonly keyAllows?: readonly string[];
}

/** Undefined: no matter. */
export interface DecisionFilter {
  readonly userId?: string;
  /** Catalog id of the chosen model. */
  readonly model?: string;
  readonly taskType?: string;
  readonly strategy?: string;
  /** ISO times; `to` is not included. */
  readonly from?: string;
  readonly to?: string;
}

type DecisionRow = Omit<StoredDecision, 'keyAllows'> & { readonly keyAllows: string[] | null };

const COLUMNS = `d.id, d.request_id as "requestId", d.user_id as "userId", d.created_at as "createdAt", d.record,
  k.allowed_models as "keyAllows"`;
const SOURCE = 'decisions d left join api_keys k on k.id = d.key_id';

const CONDITIONS: Readonly<Record<keyof DecisionFilter, (parameter: string) => string>> = {
  userId: (parameter) => `d.user_id = ${parameter}::uuid`,
  model: (parameter) => `d.record #>> '{candidates,0,model}' = ${parameter}`,
  taskType: (parameter) => `d.record #>> '{task,type}' = ${parameter}`,
  strategy: (parameter) => `d.record ->> 'strategy' = ${parameter}`,
  from: (parameter) => `d.created_at >= ${parameter}::timestamptz`,
  to: (parameter) => `d.created_at < ${parameter}::timestamptz`,
};

/** Listings share their connections with everything that people do: none may keep one for longer. */
const LIMIT_MS = 15_000;
const STATEMENT_TIMEOUT = '57014';
/** Ids are made before a request is admitted, by another clock: the index is entered that much earlier or later. */
const ID_SLACK_MS = 3_600_000;

/** Reads the decisions that the ledger stored with their holds. */
@Injectable()
export class DecisionsRepository {
  constructor(private readonly database: DataSource) {}

  /** The caller's own; any for administrators. */
  async find({ principal }: RequestContext, id: string): Promise<StoredDecision | undefined> {
    const rows = await this.database.query<DecisionRow[]>(
      `select ${COLUMNS} from ${SOURCE} where d.id = $1 and ($2 or d.user_id = $3)`,
      [id, principal.role === 'admin', principal.userId],
    );
    return rows.map(toStored)[0];
  }

  /**
   * Newest first, behind the given id. The filter says whose.
   * @throws ServiceUnavailableError when what is asked for takes too long to find.
   */
  async list(
    filter: DecisionFilter,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<readonly StoredDecision[]> {
    const names = (Object.keys(CONDITIONS) as (keyof DecisionFilter)[]).filter(
      (name) => filter[name] !== undefined,
    );
    const parts = names.map((name, index) => CONDITIONS[name](`$${index + 5}`));
    const { from, to } = filter;
    const rows = await this.inTime<DecisionRow>(
      `select ${COLUMNS} from ${SOURCE}
       where ${['($2::uuid is null or d.id < $2)', 'd.id >= $3::uuid', 'd.id <= $4::uuid', ...parts].join(' and ')}
       order by d.id desc limit $1`,
      [
        page.limit,
        page.after ?? null,
        firstIdAt(from === undefined ? 0 : Date.parse(from) - ID_SLACK_MS),
        to === undefined ? LAST_ID : firstIdAt(Date.parse(to) + ID_SLACK_MS),
        ...names.map((name) => filter[name]),
      ],
    );
    return rows.map(toStored);
  }

  private async inTime<Row>(sql: string, values: readonly unknown[]): Promise<readonly Row[]> {
    try {
      return await this.database.transaction(async (manager) => {
        await manager.query(`set local statement_timeout = ${LIMIT_MS}`);
        return await manager.query<Row[]>(sql, [...values]);
      });
    } catch (cause) {
      if ((cause as { code?: unknown }).code !== STATEMENT_TIMEOUT) throw cause;
      throw new ServiceUnavailableError(
        `These are more decisions than can be searched in ${LIMIT_MS / 1000} s: ask for a shorter period (from, to)`,
        { cause },
      );
    }
  }
}

const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
function toStored({ keyAllows, ...row }: DecisionRow): StoredDecision {
  return { ...row, keyAllows: keyAllows ?? undefined };
}
