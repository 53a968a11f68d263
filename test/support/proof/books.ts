/** What stands in the ledger's tables, read past the product over connections of its own. */
import { Pool } from 'pg';
import { fromApiId, toApiId } from '../../../src/common/index';
import { eventually } from '../eventually';

/** A usage line; amounts and tokens as they stand, requests by their API id. */
export interface BookedLine {
  readonly requestId: string;
  readonly attempt: number;
  readonly model: string;
  readonly outcome: string;
  readonly usageSource: string;
  readonly prompt: number;
  readonly cachedRead: number;
  readonly completion: number;
  readonly costPico: bigint | null;
  readonly priceVersion: number | null;
  readonly errorCode: string | null;
  readonly disputes: readonly string[] | null;
}

interface LineRow extends Omit<BookedLine, 'costPico' | 'prompt' | 'cachedRead' | 'completion'> {
  readonly prompt: string;
  readonly cachedRead: string;
  readonly completion: string;
  readonly costPico: string | null;
}

const LINES = `select request_id as "requestId", attempt, model, outcome, usage_source as "usageSource",
  coalesce(prompt_tokens, 0) as prompt, coalesce(cached_read_tokens, 0) as "cachedRead",
  coalesce(completion_tokens, 0) as completion, cost_pico_usd as "costPico", price_version as "priceVersion",
  error_code as "errorCode", disputes
from usage_lines order by request_id, attempt`;

export class Books {
  readonly pool: Pool;

  constructor(databaseUrl: string) {
    this.pool = new Pool({ connectionString: databaseUrl, max: 3 });
    this.pool.on('error', () => undefined);
  }

  async lines(): Promise<readonly BookedLine[]> {
    const { rows } = await this.pool.query<LineRow>(LINES);
    return rows.map((row) => ({
      ...row,
      requestId: toApiId('req', row.requestId),
      prompt: Number(row.prompt),
      cachedRead: Number(row.cachedRead),
      completion: Number(row.completion),
      costPico: row.costPico === null ? null : BigInt(row.costPico),
    }));
  }

  /** When the oldest open request of each key was admitted, in epoch milliseconds, by the key's API id. */
  async oldestHolds(): Promise<ReadonlyMap<string, number>> {
    const { rows } = await this.pool.query<{ key: string; oldest: Date }>(
      'select key_id as key, min(admitted_at) as oldest from holds group by key_id',
    );
    return new Map(rows.map(({ key, oldest }) => [toApiId('key', key), oldest.getTime()]));
  }

  /** Waits until no request is open; returns how long that took, in milliseconds. */
  async settled(limitMs: number): Promise<number> {
    const from = performance.now();
    await eventually(async () => ((await this.oldestHolds()).size === 0 ? true : undefined), limitMs);
    return performance.now() - from;
  }

  /** Counters that are not what lines and holds say. */
  async differences(): Promise<readonly unknown[]> {
    return (await this.pool.query('select * from ledger_differences')).rows;
  }

  /** The counters of a total budget, by its API id. */
  async budget(id: string): Promise<{ spent: bigint; held: bigint }> {
    const { rows } = await this.pool.query<{ spent: string; held: string }>(
      'select spent_pico as spent, held_pico as held from budget_periods where budget_id = $1',
      [fromApiId('bud', id)],
    );
    const [row] = rows;
    return { spent: BigInt(row?.spent ?? 0), held: BigInt(row?.held ?? 0) };
  }

  /** The version of each model's price that is in force. */
  async priceVersions(): Promise<ReadonlyMap<string, number>> {
    const { rows } = await this.pool.query<{ model: string; version: number }>(
      'select model, version from price_versions where valid_to is null',
    );
    return new Map(rows.map((row) => [row.model, row.version]));
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}
