/** The ledger's functions in PostgreSQL, called over the hot pool. Nothing else moves the books. */
import { Inject, Injectable, Optional } from '@nestjs/common';
import { toStorableJson } from '../common/index';
import { HotPool } from '../database/index';
import type { AdvanceRow, DecisionRecordRow, LineRow, OwnerRow, RequestRow, Settlement } from './ledger-rows';
import type { RateLimitedCaller, RequestWindowsRow } from './rate-limit-state';
import type { LimitRefusal, Refusal } from './refusal';
import { repeatOnConflict } from './repeat-on-conflict';

/** A test's clock; without it the database's own clock decides windows, periods and leases. */
export const LEDGER_NOW = Symbol('LEDGER_NOW');

export interface AdmissionRow {
  readonly request: RequestRow;
  readonly decision?: DecisionRecordRow;
}

export interface HoldAnswer {
  readonly requestId: string;
  readonly refusal: Refusal | null;
  /** Pico-USD as decimal text. */
  readonly held: string;
  readonly isHard: boolean;
  /** Soft budgets that this request exceeds. */
  readonly exceeded: readonly { readonly scope: string; readonly period: string }[] | null;
}

export interface TurnAnswer {
  /** Settled requests without an open hold, or with a line that stood already: they need `book`. */
  readonly late: readonly string[] | null;
  /** Only requests about which there is something to say; all others hold their estimate. */
  readonly admitted: readonly HoldAnswer[] | null;
  /** Of every limit that the admissions stand in and that counts requests, as it is after them. */
  readonly windows: readonly RequestWindowsRow[] | null;
}

export interface CountAnswer {
  readonly refusals: readonly { readonly place: number; readonly refusal: LimitRefusal }[] | null;
  readonly windows: readonly RequestWindowsRow[] | null;
}

@Injectable()
export class LedgerStore {
  constructor(
    private readonly pool: HotPool,
    @Optional() @Inject(LEDGER_NOW) private readonly now?: () => Date,
  ) {}

  /** Settlements first, then admissions, in one transaction and one round trip. */
  async turn(
    processId: string,
    settlements: readonly Settlement[],
    admissions: readonly AdmissionRow[],
  ): Promise<TurnAnswer | null> {
    const decisions = admissions.flatMap(({ decision }) => (decision ? [decision] : []));
    return await this.call<TurnAnswer | null>('ledger_turn', [
      settlements.length > 0 ? uuidArray(settlements.map(({ owner }) => owner.request_id)) : null,
      settlements.length > 0 ? toStorableJson(settlements.flatMap(({ lines }) => lines)) : null,
      processId,
      admissions.length > 0 ? toStorableJson(admissions.map(({ request }) => request)) : null,
      admissions.length > 0 ? toStorableJson(decisions) : null,
      this.time(),
    ]);
  }

  /** Counts one request of each caller in the request windows only. Null when nothing is limited. */
  async count(callers: readonly RateLimitedCaller[]): Promise<CountAnswer | null> {
    const rows = callers.map(({ userId, keyId }) => ({ user_id: userId, key_id: keyId }));
    return await this.call<CountAnswer | null>('ledger_count', [JSON.stringify(rows), this.time()]);
  }

  /** One answer for each command, in any order. */
  async advance(processId: string, commands: readonly AdvanceRow[]): Promise<readonly HoldAnswer[]> {
    return await this.call('ledger_advance', [processId, toStorableJson(commands), this.time()]);
  }

  /**
   * Books lines whatever state the request is in; the truth replaces a reaper's bound, and a bound for an attempt
   * without a line becomes nothing, because it was never sent. Idempotent.
   */
  async book(owner: OwnerRow, lines: readonly LineRow[]): Promise<void> {
    await this.call('ledger_book', [toStorableJson(owner), toStorableJson(lines), this.time()]);
  }

  /** Decisions that were taken while PostgreSQL was away. Idempotent. */
  async addDecisions(rows: readonly (DecisionRecordRow & { readonly decided_at: unknown })[]): Promise<void> {
    await this.pool.query(
      `insert into decisions (id, request_id, user_id, key_id, created_at, record)
       select d.id, d.request_id, d.user_id, d.key_id, d.decided_at, d.record
       from json_to_recordset($1) d (id uuid, request_id uuid, user_id uuid, key_id uuid,
         decided_at timestamptz, record json)
       on conflict do nothing`,
      [toStorableJson(rows)],
    );
  }

  /** Settles these holds at the bound of their intent. */
  async closeAtBound(requestIds: readonly string[]): Promise<void> {
    await this.call('ledger_reap', [uuidArray(requestIds), null, null, this.time()]);
  }

  /**
   * Settles the holds of dead processes at the bound of their intent. Returns how many: never those of the process
   * that asks, and none while PostgreSQL has been up for less than a lease, since the living renew theirs first.
   */
  async reap(processId: string, leaseMs: number): Promise<number> {
    const lease = `${leaseMs} milliseconds`;
    return Number(await this.call<string>('ledger_reap', [null, processId, lease, this.time()]));
  }

  /** Frees holds for which nothing was sent. */
  async release(requestIds: readonly string[]): Promise<void> {
    await this.call('ledger_turn', [uuidArray(requestIds), '[]', null, null, null, this.time()]);
  }

  /** Holds that this process has had for longer than the lease. */
  async listHolds(processId: string, olderThanMs: number): Promise<readonly string[]> {
    const { rows } = await this.pool.query<{ request_id: string }>(
      `select request_id from holds
       where process_id = $1 and admitted_at < coalesce($2::timestamptz, now()) - $3 * interval '1 millisecond'`,
      [processId, this.time(), olderThanMs],
    );
    return rows.map((row) => row.request_id);
  }

  /** Registers the process, or renews its lease. */
  async renewLease(processId: string, leaseMs: number): Promise<void> {
    await this.pool.query(
      `insert into processes (id, lease_expires_at)
       values ($1, coalesce($2::timestamptz, now()) + $3 * interval '1 millisecond')
       on conflict (id) do update set lease_expires_at = excluded.lease_expires_at`,
      [processId, this.time(), leaseMs],
    );
  }

  async endLease(processId: string): Promise<void> {
    await this.pool.query('delete from processes where id = $1', [processId]);
  }

  /** Which of these processes hold a live lease. */
  async liveProcesses(processIds: readonly string[]): Promise<ReadonlySet<string>> {
    const { rows } = await this.pool.query<{ id: string }>(
      `select id from processes where id = any($1::uuid[]) and lease_expires_at > coalesce($2::timestamptz, now())`,
      [uuidArray(processIds), this.time()],
    );
    return new Set(rows.map((row) => row.id));
  }

  private time(): Date | null {
    return this.now?.() ?? null;
  }

  private async call<T>(name: string, values: readonly unknown[]): Promise<T> {
    const parameters = values.map((_, index) => `$${index + 1}`).join(', ');
    const query = { name, text: `select ${name}(${parameters}) as answer`, values: [...values] };
    return await repeatOnConflict(async () => {
      const { rows } = await this.pool.query<{ answer: T }>(query);
      return rows[0]?.answer as T;
    });
  }
}

function uuidArray(ids: readonly string[]): string {
  return `{${ids.join(',')}}`;
}
