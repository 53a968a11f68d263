import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type ModelPrices, PriceRepository, type PriceVersion } from '../catalog/index';
import type { UsageSource } from '../common/index';
import type { Outcome } from './ledger.types';
import { type PricedLine, type RatedTotals, Rerating } from './rerate';

/** Small enough that a page's arithmetic does not hold up other requests of this process. */
const LINES_PER_PAGE = 2000;

/** `booked`: each line's own version. `current`: what is in force now. A time: what was in force then. */
export type PriceBookChoice = 'booked' | 'current' | Date;

export interface RerateRange {
  /** ISO times; `to` is not part of the range. */
  readonly from: string;
  readonly to: string;
  readonly priceBook: PriceBookChoice;
}

interface LineRow {
  readonly request_id: string;
  readonly attempt: number;
  readonly day: string;
  readonly model: string;
  readonly outcome: Outcome;
  readonly usage_source: UsageSource;
  readonly prompt_tokens: string | null;
  readonly cached_read_tokens: string | null;
  readonly cache_write_tokens: string | null;
  readonly cache_write_one_hour_tokens: string | null;
  readonly completion_tokens: string | null;
  readonly reasoning_tokens: string | null;
  readonly cost_pico_usd: string | null;
  readonly price_version: number | null;
}

const LINES = `
  select request_id, attempt, to_char(admitted_at at time zone 'UTC', 'YYYY-MM-DD') as day, model, outcome,
    usage_source, prompt_tokens, cached_read_tokens, cache_write_tokens, cache_write_one_hour_tokens,
    completion_tokens, reasoning_tokens, cost_pico_usd, price_version
  from usage_lines where admitted_at >= $1 and admitted_at < $2`;

/** Prices past lines with another book. Reads one snapshot page by page and writes nothing. */
@Injectable()
export class Rerater {
  constructor(
    private readonly database: DataSource,
    private readonly prices: PriceRepository,
  ) {}

  /** @param signal ends the work between two pages. */
  async rerate(range: RerateRange, signal: AbortSignal): Promise<RatedTotals> {
    const book = await this.bookOf(range.priceBook);
    const versions = new Map<number, PriceVersion>();
    const rerating = new Rerating();
    await this.database.transaction('REPEATABLE READ', async (manager) => {
      await manager.query('set transaction read only');
      await manager.query(`declare rerated no scroll cursor for ${LINES}`, [range.from, range.to]);
      for await (const page of pages(manager)) {
        signal.throwIfAborted();
        await this.learn(versions, page);
        for (const line of page) {
          const own = line.priceVersion === undefined ? undefined : versions.get(line.priceVersion);
          rerating.add(line, own, book ? book.get(line.model) : own);
        }
      }
    });
    return rerating.totals();
  }

  /** Prices by model; undefined when every line keeps its own. */
  private async bookOf(choice: PriceBookChoice): Promise<ReadonlyMap<string, ModelPrices> | undefined> {
    if (choice === 'booked') return undefined;
    const found = await (choice === 'current' ? this.prices.listCurrent() : this.prices.listAt(choice));
    return new Map(found.map((version) => [version.model, version]));
  }

  private async learn(versions: Map<number, PriceVersion>, page: readonly PricedLine[]): Promise<void> {
    const unknown = new Set<number>();
    for (const { priceVersion } of page)
      if (priceVersion !== undefined && !versions.has(priceVersion)) unknown.add(priceVersion);
    if (unknown.size === 0) return;
    for (const found of await this.prices.listVersions([...unknown])) versions.set(found.version, found);
  }
}

async function* pages(manager: EntityManager): AsyncGenerator<readonly PricedLine[]> {
  for (;;) {
    const rows: LineRow[] = await manager.query(`fetch ${LINES_PER_PAGE} from rerated`);
    if (rows.length > 0) yield rows.map(toPricedLine);
    if (rows.length < LINES_PER_PAGE) return;
  }
}

function toPricedLine(row: LineRow): PricedLine {
  return {
    requestId: row.request_id,
    attempt: row.attempt,
    day: row.day,
    model: row.model,
    outcome: row.outcome,
    usageSource: row.usage_source,
    usage: {
      promptTokens: count(row.prompt_tokens),
      cachedReadTokens: count(row.cached_read_tokens),
      cacheWriteTokens: count(row.cache_write_tokens),
      cacheWriteOneHourTokens: count(row.cache_write_one_hour_tokens),
      completionTokens: count(row.completion_tokens),
      reasoningTokens: count(row.reasoning_tokens),
    },
    costPicoUsd: row.cost_pico_usd === null ? undefined : BigInt(row.cost_pico_usd),
    priceVersion: row.price_version ?? undefined,
  };
}

function count(tokens: string | null): number | undefined {
  return tokens === null ? undefined : Number(tokens);
}
