import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppConfig } from '../config/index';
import { rowRemoval } from '../database/index';
import { IdempotencyOptions } from './idempotency.options';
import type { KeyedRequest } from './keyed-request';
import { decodeAnswer, encodeAnswer, type StoredAnswer } from './stored-answer';

/** Where ended claims are told that somebody waits for; the payload is `topicOf`. */
export const ANSWERED_CHANNEL = 'idempotency_answered';
const SEAL_PURPOSE = 'idempotency-answer';
const IS_OVER = 'expires_at <= now() and (answer is not null or leased_until <= now())';

export type KeyState =
  | {
      readonly is: 'running';
      readonly claimId: string;
      /** False: its process counts as dead. */
      readonly isLeased: boolean;
      readonly isAwaited: boolean;
    }
  | { readonly is: 'answered'; readonly claimId: string }
  /** Claimed with a secret key that this process does not have, and another one probably has. */
  | { readonly is: 'elsewhere' }
  | { readonly is: 'reused' };

interface KeyRow {
  readonly claim_id: string;
  readonly is_same: boolean;
  /** This process has the secret key that the fingerprint was made with. */
  readonly is_known: boolean;
  readonly is_recent: boolean;
  readonly is_leased: boolean;
  readonly is_awaited: boolean;
  readonly is_answered: boolean;
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
   * Takes the key: when it is new, expired, was left by a process that died, or belongs to a secret key that is gone
   * (this process has it not, and it was used before the time of a rollout). After a start of PostgreSQL nothing is
   * taken over for a lease, since the living renew theirs first. True for exactly one of all who ask.
   */
  async claim(request: KeyedRequest, claimId: string): Promise<boolean> {
    const { leaseMs, keepMs, rolloutMs } = this.options;
    const [{ keyId, digest }] = request.fingerprints;
    const isOver = `held.expires_at <= now()
      or (held.fingerprint_key <> all($7::text[]) and held.created_at <= now() - $10 * interval '1 ms')`;
    const rows = await this.query(
      `insert into idempotency_keys as held
         (owner, key, claim_id, fingerprint, fingerprint_key, leased_until, expires_at)
       values ($1, $2, $3, $4, $5, now() + $8 * interval '1 ms', now() + $9 * interval '1 ms')
       on conflict (owner, key) do update set
         claim_id = excluded.claim_id, fingerprint = excluded.fingerprint,
         fingerprint_key = excluded.fingerprint_key, is_awaited = false, answer = null,
         leased_until = excluded.leased_until, created_at = now(), expires_at = excluded.expires_at
       where (held.answer is not null and (${isOver}))
          or (held.answer is null and held.leased_until <= now()
              and (held.fingerprint = any($6::bytea[]) or ${isOver})
              and pg_postmaster_start_time() <= now() - $8 * interval '1 ms')
       returning claim_id`,
      [
        request.owner,
        request.key,
        claimId,
        digest,
        keyId,
        digestsOf(request),
        keyIdsOf(request),
        leaseMs,
        keepMs,
        rolloutMs,
      ],
    );
    return rows.length > 0;
  }

  /** Undefined: free again. */
  async look(request: KeyedRequest): Promise<KeyState | undefined> {
    const [row] = await this.query<KeyRow>(
      `select claim_id, fingerprint = any($3::bytea[]) as is_same, fingerprint_key = any($4::text[]) as is_known,
         created_at > now() - $5 * interval '1 ms' as is_recent, leased_until > now() as is_leased, is_awaited,
         answer is not null as is_answered
       from idempotency_keys where owner = $1 and key = $2`,
      [request.owner, request.key, digestsOf(request), keyIdsOf(request), this.options.rolloutMs],
    );
    return row && stateOf(row);
  }

  /** Undefined when it is gone; one that was altered is forgotten. */
  async answerOf(request: KeyedRequest, claimId: string): Promise<StoredAnswer | undefined> {
    const [row] = await this.query<{ answer: Buffer | null }>(
      'select answer from idempotency_keys where claim_id = $1',
      [claimId],
    );
    if (!row?.answer) return undefined;
    const bytes = this.config.keys.open(SEAL_PURPOSE, topicOf(request), row.answer);
    if (bytes) return decodeAnswer(bytes);
    await this.release(request, claimId);
    return undefined;
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
    return await rowRemoval(this.database, 'idempotency_keys', 'owner, key', IS_OVER)(limit);
  }

  private async query<Row = unknown>(sql: string, parameters: unknown[]): Promise<readonly Row[]> {
    return await this.database.query<Row[]>(sql, parameters);
  }
}

/** Undefined: the key can be claimed. */
function stateOf(row: KeyRow): KeyState | undefined {
  const { claim_id: claimId, is_leased: isLeased, is_awaited: isAwaited } = row;
  const running = { is: 'running', claimId, isLeased, isAwaited } as const;
  if (!row.is_known) {
    if (row.is_recent || (!row.is_answered && isLeased)) return { is: 'elsewhere' };
    return row.is_answered ? undefined : running;
  }
  if (!row.is_same) return { is: 'reused' };
  return row.is_answered ? { is: 'answered', claimId } : running;
}

function digestsOf({ fingerprints }: KeyedRequest): readonly Buffer[] {
  return fingerprints.map(({ digest }) => digest);
}

function keyIdsOf({ fingerprints }: KeyedRequest): readonly string[] {
  return fingerprints.map(({ keyId }) => keyId);
}

/** One name for a key of an owner: what its answer is bound to and its waiters are woken by. */
export function topicOf({ owner, key }: Pick<KeyedRequest, 'owner' | 'key'>): string {
  return `${owner}/${key}`;
}
