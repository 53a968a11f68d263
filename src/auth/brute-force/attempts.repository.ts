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

  /** Adds attempts that were counted elsewhere; how the windows stand then. */
  async add(counts: ReadonlyMap<string, number>, windowSeconds: number): Promise<readonly AttemptWindow[]> {
    return this.database.query(ADD, [[...counts.keys()], [...counts.values()], windowSeconds]);
  }
}
