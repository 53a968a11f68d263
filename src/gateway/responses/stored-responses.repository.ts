import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Principal } from '../../common/index';
import { AppConfig } from '../../config/index';
import type { StoredResponse, Turn } from './stored-response';

const SEAL_PURPOSE = 'stored-response';

/** Ids are UUIDs. */
export interface ResponseKey {
  readonly id: string;
  readonly userId: string;
}

/** How far back a conversation may be followed. */
export interface ChainLimits {
  readonly maxTurns: number;
  readonly maxBytes: number;
}

export interface Chain {
  /** The oldest first; none when they are more, or larger, than the limits allow. */
  readonly turns: readonly Turn[];
  /** `missing`: the first, or one before it, is not there, not this owner's, or cannot be read any more. */
  readonly is: 'whole' | 'missing' | 'too long';
}

interface ChainRow {
  readonly id: string;
  readonly previous_id: string | null;
  readonly is_within: boolean;
  readonly turn: Buffer | null;
}

interface ResponseRow {
  readonly user_id: string;
  readonly turn: Buffer;
  readonly answer: Buffer;
}

/** The table of responses, sealed row by row with the secret key. */
@Injectable()
export class StoredResponsesRepository {
  constructor(
    private readonly database: DataSource,
    private readonly config: AppConfig,
  ) {}

  /** @returns false when it is larger than `maxBytes`, and was not kept. */
  async create(
    key: ResponseKey,
    previousId: string | undefined,
    { answer, ...turn }: StoredResponse,
    maxBytes: number,
  ): Promise<boolean> {
    const sealed = [this.seal(key, 'turn', turn), this.seal(key, 'answer', answer)];
    if (sealed.some(({ length }) => length > maxBytes)) return false;
    await this.database.query(
      'insert into responses (id, user_id, previous_id, turn, answer) values ($1, $2, $3, $4, $5)',
      [key.id, key.userId, previousId ?? null, ...sealed],
    );
    return true;
  }

  /** The response and all before it, in one statement. */
  async chain({ id, userId }: ResponseKey, { maxTurns, maxBytes }: ChainLimits): Promise<Chain> {
    const rows: ChainRow[] = await this.database.query(
      `with recursive chain as (
         select id, previous_id, octet_length(turn)::bigint as bytes, 1 as depth
         from responses where id = $1 and user_id = $2
         union all
         select before.id, before.previous_id, chain.bytes + octet_length(before.turn), chain.depth + 1
         from chain join responses before on before.id = chain.previous_id and before.user_id = $2
         where chain.depth < $3 and chain.bytes <= $4
       ), size as (select max(bytes) <= $4 and (max(depth) < $3 or bool_or(previous_id is null)) as is_within from chain)
       select chain.id, chain.previous_id, size.is_within, case when size.is_within then whole.turn end as turn
       from size cross join chain join responses whole on whole.id = chain.id
       order by chain.depth desc`,
      [id, userId, maxTurns, maxBytes],
    );
    const [oldest] = rows;
    if (!oldest) return { turns: [], is: 'missing' };
    if (!oldest.is_within) return { turns: [], is: 'too long' };
    const turns = rows.map((row) => row.turn && this.open<Turn>({ id: row.id, userId }, 'turn', row.turn));
    const isWhole = oldest.previous_id === null && turns.every((turn) => turn);
    return isWhole ? { turns: turns as Turn[], is: 'whole' } : { turns: [], is: 'missing' };
  }

  /** What is there of these responses of one owner; nothing when they are larger than `maxBytes` together. */
  async turns(ids: readonly string[], userId: string, maxBytes: number): Promise<readonly Turn[]> {
    const rows: { readonly id: string; readonly turn: Buffer }[] = await this.database.query(
      `with asked as (
         select id, sum(octet_length(turn)) over () as bytes from responses where id = any($1::uuid[]) and user_id = $2)
       select whole.id, whole.turn from asked join responses whole on whole.id = asked.id where asked.bytes <= $3`,
      [ids, userId, maxBytes],
    );
    return rows.flatMap(({ id, turn }) => this.open<Turn>({ id, userId }, 'turn', turn) ?? []);
  }

  /** Administrators find anyone's. */
  async find(id: string, { userId, role }: Principal): Promise<StoredResponse | undefined> {
    const [row]: ResponseRow[] = await this.database.query(
      'select user_id, turn, answer from responses where id = $1 and ($2 or user_id = $3)',
      [id, role === 'admin', userId],
    );
    if (!row) return undefined;
    const key = { id, userId: row.user_id };
    const turn = this.open<Turn>(key, 'turn', row.turn);
    const answer = this.open<StoredResponse['answer']>(key, 'answer', row.answer);
    return turn && answer && { ...turn, answer };
  }

  /** @returns false when there is none. Administrators remove anyone's. */
  async remove(id: string, { userId, role }: Principal): Promise<boolean> {
    const rows: unknown[] = await this.database.query(
      `with removed as (delete from responses where id = $1 and ($2 or user_id = $3) returning 1)
       select 1 from removed`,
      [id, role === 'admin', userId],
    );
    return rows.length > 0;
  }

  /** Removes some of those that are older and that no other goes on from. @returns how many. */
  async removeOlderThan(days: number, limit: number): Promise<number> {
    const rows: unknown[] = await this.database.query(
      `with removed as (
         delete from responses where id in (
           select old.id from responses old
           where old.created_at < now() - $1 * interval '1 day'
             and not exists (select 1 from responses later where later.previous_id = old.id)
           order by old.created_at desc limit $2 for update skip locked)
         returning 1
       ) select 1 from removed`,
      [days, limit],
    );
    return rows.length;
  }

  private seal(key: ResponseKey, part: string, value: object): Buffer {
    return this.config.keys.seal(SEAL_PURPOSE, boundOf(key, part), Buffer.from(JSON.stringify(value)));
  }

  /** Undefined when the secret key is gone. */
  private open<T>(key: ResponseKey, part: string, sealed: Buffer): T | undefined {
    const plain = this.config.keys.open(SEAL_PURPOSE, boundOf(key, part), sealed);
    return plain && (JSON.parse(plain.toString()) as T);
  }
}

/** Nobody else's row can be opened in its place. */
function boundOf({ id, userId }: ResponseKey, part: string): string {
  return `${userId}/${id}/${part}`;
}
