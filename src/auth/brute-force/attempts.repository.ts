import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Bucket } from './attempt-buckets';

export interface AttemptWindow {
  readonly bucket: string;
  readonly attempts: number;
  readonly endsAt: Date;
}

const COUNT = `select count_attempt($1, $2, $3 * interval '1 second') as "fullUntil"`;
const ADD = `
  select bucket, attempts, ends_at as "endsAt" from add_attempts($1, $2, $3 * interval '1 second')`;
const TAKE_BACK = `
  with mine as (select bucket from attempt_windows where bucket = any ($1) order by bucket for update)
  update attempt_windows w set attempts = case when w.bucket = $2 then 0 else greatest(w.attempts - 1, 0) end
  from mine where w.bucket = mine.bucket`;
const IS_KNOWN = `
  select 1 from known_visitors where account = $1 and visitor = $2 and known_until > now()`;
/** Keeps the newest of an account; what another login removes at the same time needs no waiting for. */
const REMEMBER = `
  with kept as (
    insert into known_visitors (account, visitor, known_until) values ($1, $2, now() + $3 * interval '1 day')
    on conflict (account, visitor) do update set known_until = excluded.known_until),
  gone as materialized (
    select visitor from known_visitors where account = $1 and visitor <> $2
    order by known_until desc offset $4 - 1 for update skip locked)
  delete from known_visitors k using gone where k.account = $1 and k.visitor = gone.visitor`;

/** Somebody who may have logged in to an account lately. Both are names of buckets. */
export interface AccountVisitor {
  readonly account: string;
  readonly visitor: string;
}

/** Attempts in windows of fixed length that start with the first one, exact across processes. */
@Injectable()
export class AttemptsRepository {
  constructor(private readonly database: DataSource) {}

  /** Counts one attempt in every bucket, or in none when one is full: then the end of its window. */
  async count(buckets: readonly Bucket[], windowSeconds: number): Promise<Date | undefined> {
    const [names, limits] = [buckets.map(({ name }) => name), buckets.map(({ limit }) => limit)];
    const [row] = await this.database.query<{ fullUntil: Date | null }[]>(COUNT, [
      names,
      limits,
      windowSeconds,
    ]);
    return row?.fullUntil ?? undefined;
  }

  /** Takes one attempt back everywhere, and all of them in `cleared`. */
  async takeBack(buckets: readonly Bucket[], cleared?: Bucket): Promise<void> {
    await this.database.query(TAKE_BACK, [buckets.map(({ name }) => name), cleared?.name ?? null]);
  }

  /** Has this visitor logged in to the account, not too long ago? */
  async isKnown({ account, visitor }: AccountVisitor): Promise<boolean> {
    const rows: unknown[] = await this.database.query(IS_KNOWN, [account, visitor]);
    return rows.length > 0;
  }

  /** Notes that the visitor has logged in to the account, which remembers the last `most` of them. */
  async remember({ account, visitor }: AccountVisitor, days: number, most: number): Promise<void> {
    await this.database.query(REMEMBER, [account, visitor, days, most]);
  }

  /** Adds attempts that were counted elsewhere; how the windows stand then. */
  async add(counts: ReadonlyMap<string, number>, windowSeconds: number): Promise<readonly AttemptWindow[]> {
    return this.database.query(ADD, [[...counts.keys()], [...counts.values()], windowSeconds]);
  }
}
