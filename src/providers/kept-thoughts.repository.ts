import { Injectable } from '@nestjs/common';
import { HotPool } from '../database/index';
import type { ThoughtStore } from './adapters/ai-sdk/kept-thoughts';
import type { KeptThought } from './provider.port';

/** How long a client may take to come back with the results of its tools. */
const KEPT_FOR = '24 hours';
/** Per owner; the oldest go first. */
const MAX_THOUGHTS = 1000;

/** Keeps what providers sign of the thoughts behind tool calls where every process finds it, for their owner alone. */
@Injectable()
export class KeptThoughtsRepository implements ThoughtStore {
  constructor(private readonly pool: HotPool) {}

  async keep(ownerId: string, thoughts: readonly KeptThought[]): Promise<void> {
    await this.pool.query(
      `with expired as (delete from kept_thoughts where expires_at < now()),
       surplus as (
         delete from kept_thoughts where user_id = $1 and call_key in (
           select call_key from kept_thoughts where user_id = $1 order by expires_at desc offset $4
         )
       )
       insert into kept_thoughts (user_id, call_key, thought, expires_at)
       select $1, call_key, thought, now() + $5::interval from unnest($2::text[], $3::text[]) as t (call_key, thought)
       on conflict (user_id, call_key) do update set thought = excluded.thought, expires_at = excluded.expires_at`,
      [
        ownerId,
        thoughts.map(({ key }) => key),
        thoughts.map(({ thought }) => thought),
        MAX_THOUGHTS,
        KEPT_FOR,
      ],
    );
  }

  async find(ownerId: string, keys: readonly string[]): Promise<readonly KeptThought[]> {
    const { rows } = await this.pool.query<KeptThought>(
      `select call_key as key, thought from kept_thoughts
       where user_id = $1 and call_key = any($2::text[]) and expires_at > now()`,
      [ownerId, keys],
    );
    return rows;
  }
}
