import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppConfig } from '../config/index';
import { IdempotencyOptions } from './idempotency.options';
import type { KeyedRequest } from './keyed-request';
import { decodeAnswer, encodeAnswer, type StoredAnswer } from './stored-answer';

/** Where ended claims are told that somebody waits for; the payload is `topicOf`. */
export const ANSWERED_CHANNEL = 'idempotency_answered';
const SEAL_PURPOSE = 'idempotency-answer';

export type KeyState =
  | { readonly is: 'running'; readonly claimId: string; readonly isAwaited: boolean }
  | { readonly is: 'answered'; readonly answer: StoredAnswer }
  /** The answer was sealed with a secret key that is no longer configured, or was altered. */
  | { readonly is: 'unreadable'; readonly claimId: string }
  | { readonly is: 'reused' };

interface KeyRow {
  readonly claim_id: string;
  readonly is_same: boolean;
  readonly is_awaited: boolean;
  readonly answer: Buffer | null;
}

/** The table of keys. Every change is one statement that names the claim it belongs to, so that only its owner acts. */
@Injectable()
export class IdempotencyKeysRepository {
  constructor(
    private readonly database: DataSource,
    private readonly config: AppConfig,
    private readonly options: IdempotencyOptions,
  ) {}

  /**
   * Takes the key: when it is new, expired, or was left by a process that died. After a start of PostgreSQL nothing is
   * taken over for a lease, since the living renew theirs first. True for exactly one of all who ask.
   */
  async claim(request: KeyedRequest, claimId: string): Promise<boolean> {
    const { leaseMs, keepMs } = this.options;
    const rows = await this.query(
      `insert into idempotency_keys as held (owner, key, claim_id, fingerprint, leased_until, expires_at)
       values ($1, $2, $3, $4, now() + $6 * interval '1 ms', now() + $7 * interval '1 ms')
       on conflict (owner, key) do update set
         claim_id = excluded.claim_id, fingerprint = excluded.fingerprint, is_awaited = false, answer = null,
         leased_until = excluded.leased_until, created_at = now(), expires_at = excluded.expires_at
       where (held.answer is not null and held.expires_at <= now())
          or (held.answer is null and held.leased_until <= now()
              and (held.fingerprint = any($5::bytea[]) or held.expires_at <= now())
              and pg_postmaster_start_time() <= now() - $6 * interval '1 ms')
       returning claim_id`,
      [request.owner, request.key, claimId, request.fingerprints[0], request.fingerprints, leaseMs, keepMs],
    );
    return rows.length > 0;
  }

  /** Undefined: free again. */
  async look(request: KeyedRequest): Promise<KeyState | undefined> {
    const [row] = await this.query<KeyRow>(
      `select claim_id, fingerprint = any($3::bytea[]) as is_same, is_awaited, answer
       from idempotency_keys where owner = $1 and key = $2`,
      [request.owner, request.key, request.fingerprints],
    );
    if (!row) return undefined;
    if (!row.is_same) return { is: 'reused' };
    if (!row.answer) return { is: 'running', claimId: row.claim_id, isAwaited: row.is_awaited };
    const bytes = this.config.keys.open(SEAL_PURPOSE, topicOf(request), row.answer);
    if (!bytes) return { is: 'unreadable', claimId: row.claim_id };
    return { is: 'answered', answer: decodeAnswer(bytes) };
  }

  /** Asks to be told when the claim ends. False when it has ended already. */
  async await(claimId: string): Promise<boolean> {
    const rows = await this.query(
      `with marked as (
         update idempotency_keys set is_awaited = true where claim_id = $1 and answer is null returning claim_id
       ) select claim_id from marked`,
      [claimId],
    );
    return rows.length > 0;
  }

  /** Keeps the answer; nothing when another has taken the claim over. */
  async store(request: KeyedRequest, claimId: string, answer: StoredAnswer): Promise<void> {
    const sealed = this.config.keys.seal(SEAL_PURPOSE, topicOf(request), encodeAnswer(answer));
    await this.query(
      `with ended as (
         update idempotency_keys set answer = $3, expires_at = now() + $4 * interval '1 ms'
         where claim_id = $1 and answer is null returning is_awaited
       ) select pg_notify('${ANSWERED_CHANNEL}', $2) from ended where is_awaited`,
      [claimId, topicOf(request), sealed, this.options.keepMs],
    );
  }

  /** Forgets the key, so that the next request with it is carried out. */
  async release(request: KeyedRequest, claimId: string): Promise<void> {
    await this.query(
      `with ended as (delete from idempotency_keys where claim_id = $1 returning is_awaited)
       select pg_notify('${ANSWERED_CHANNEL}', $2) from ended where is_awaited`,
      [claimId, topicOf(request)],
    );
  }

  /** Tells the others that the process behind these claims lives. */
  async renew(claimIds: readonly string[]): Promise<void> {
    await this.query(
      `with renewed as (
         update idempotency_keys set leased_until = now() + $2 * interval '1 ms'
         where claim_id = any($1::uuid[]) and answer is null returning 1
       ) select count(*) from renewed`,
      [claimIds, this.options.leaseMs],
    );
  }

  /** Removes some of what has expired. Returns how many. */
  async removeExpired(limit: number): Promise<number> {
    const rows = await this.query(
      `with removed as (
         delete from idempotency_keys where (owner, key) in (
           select owner, key from idempotency_keys
           where expires_at <= now() and (answer is not null or leased_until <= now())
           limit $1 for update skip locked)
         returning 1
       ) select 1 from removed`,
      [limit],
    );
    return rows.length;
  }

  private async query<Row = unknown>(sql: string, parameters: unknown[]): Promise<readonly Row[]> {
    return await this.database.query<Row[]>(sql, parameters);
  }
}

/** One name for a key of an owner: what its answer is bound to and its waiters are woken by. */
export function topicOf({ owner, key }: Pick<KeyedRequest, 'owner' | 'key'>): string {
  return `${owner}/${key}`;
}
