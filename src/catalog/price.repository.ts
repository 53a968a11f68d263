import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { SqlExecutor } from '../common/index';
import type { ModelPrices, PriceVersion } from './price';
import { fromStored, priceHash, type StoredPrices, toStored } from './price-conversion';

/** What a model costs by the list or the YAML; undefined when neither knows. */
export interface ListedPrice {
  readonly model: string;
  readonly listed?: { readonly price: ModelPrices; readonly source: string };
}

/** Writes down who changed a price, in the transaction that changes it. @param before what was in force until then */
export type PriceRecord = (executor: SqlExecutor, before: PriceVersion | undefined) => Promise<void>;

export interface CurrentPrices {
  /** The highest number given so far. */
  readonly version: number;
  /** When a price last ended. */
  readonly closedAt?: Date;
  /** What is in force. */
  readonly prices: readonly PriceVersion[];
}

const OPERATOR_SOURCE = 'operator';
/** The channel that tells other processes to read the book again. */
export const PRICES_CHANGED = 'lattice_prices';

interface PriceRow {
  readonly version: number;
  readonly model: string;
  readonly prices: StoredPrices;
  readonly source: string;
  readonly valid_from: Date;
  readonly valid_to: Date | null;
}

interface CurrentRow {
  readonly model: string;
  readonly content_hash: string;
  readonly source: string;
}

const COLUMNS = 'version, model, prices, source, valid_from, valid_to';

/** The tables of the price book. One writer at a time in the whole cluster; versions are closed, never changed. */
@Injectable()
export class PriceRepository {
  constructor(private readonly database: DataSource) {}

  async listCurrent(): Promise<readonly PriceVersion[]> {
    return (await this.readCurrent()).prices;
  }

  /** The book of one moment. */
  async readCurrent(): Promise<CurrentPrices> {
    const rows: (PriceRow & { readonly highest: number; readonly closed_at: Date | null })[] =
      await this.database.query(
        `SELECT ${COLUMNS}, whole.* FROM price_versions,
           (SELECT max(version) AS highest, max(valid_to) AS closed_at FROM price_versions) whole
         WHERE valid_to IS NULL`,
      );
    const [row] = rows;
    return { version: row?.highest ?? 0, closedAt: row?.closed_at ?? undefined, prices: rows.map(toVersion) };
  }

  /**
   * The newest version of each model up to this number. `validTo` stands only on those that nothing replaced: from then
   * on the model had no price.
   */
  async listUpTo(version: number): Promise<PriceVersion[]> {
    const rows: PriceRow[] = await this.database.query(
      `SELECT version, model, prices, source, valid_from,
         CASE WHEN NOT EXISTS (SELECT FROM price_versions later
           WHERE later.model = newest.model AND later.valid_from = newest.valid_to) THEN valid_to END AS valid_to
       FROM (SELECT DISTINCT ON (model) ${COLUMNS} FROM price_versions WHERE version <= $1
         ORDER BY model, version DESC) newest`,
      [version],
    );
    return rows.map(toVersion);
  }

  /** Those of these versions that exist. */
  async listVersions(versions: readonly number[]): Promise<PriceVersion[]> {
    const rows: PriceRow[] = await this.database.query(
      `SELECT ${COLUMNS} FROM price_versions WHERE version = ANY($1)`,
      [versions],
    );
    return rows.map(toVersion);
  }

  /** The versions that were in force at a time, one per model. */
  async listAt(at: Date): Promise<PriceVersion[]> {
    const rows: PriceRow[] = await this.database.query(
      `SELECT ${COLUMNS} FROM price_versions
       WHERE valid_from <= $1 AND (valid_to IS NULL OR valid_to > $1)`,
      [at],
    );
    return rows.map(toVersion);
  }

  /** Newest first. */
  async history(
    model: string | undefined,
    page: { limit: number; before?: number },
  ): Promise<PriceVersion[]> {
    const rows: PriceRow[] = await this.database.query(
      `SELECT ${COLUMNS} FROM price_versions
       WHERE ($1::text IS NULL OR model = $1) AND ($2::int IS NULL OR version < $2)
       ORDER BY version DESC LIMIT $3`,
      [model ?? null, page.before ?? null, page.limit],
    );
    return rows.map(toVersion);
  }

  /** Brings these models' versions in line with the override, else the listed price. The same price makes no new version. */
  async sync(listed: readonly ListedPrice[]): Promise<void> {
    await this.exclusively((manager) => this.bringInLine(manager, listed));
  }

  async setOverride(
    listed: ListedPrice,
    price: ModelPrices,
    userId: string,
    record: PriceRecord,
  ): Promise<void> {
    await this.exclusively(async (manager) => {
      await record(manager, await this.current(manager, listed.model));
      await manager.query(
        `INSERT INTO price_overrides (model, prices, set_by) VALUES ($1, $2, $3)
         ON CONFLICT (model) DO UPDATE SET prices = excluded.prices, set_by = excluded.set_by, set_at = now()`,
        [listed.model, JSON.stringify(toStored(price)), userId],
      );
      await this.bringInLine(manager, [listed]);
    });
  }

  /** False when there was none. */
  async removeOverride(listed: ListedPrice, record: PriceRecord): Promise<boolean> {
    return await this.exclusively(async (manager) => {
      const removed: unknown[][] = await manager.query(
        'DELETE FROM price_overrides WHERE model = $1 RETURNING model',
        [listed.model],
      );
      const wasSet = (removed[0]?.length ?? 0) > 0;
      if (wasSet) await record(manager, await this.current(manager, listed.model));
      await this.bringInLine(manager, [listed]);
      return wasSet;
    });
  }

  private async current(manager: EntityManager, model: string): Promise<PriceVersion | undefined> {
    const rows: PriceRow[] = await manager.query(
      `SELECT ${COLUMNS} FROM price_versions WHERE valid_to IS NULL AND model = $1`,
      [model],
    );
    return rows.map(toVersion)[0];
  }

  private async exclusively<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return await this.database.transaction(async (manager) => {
      await manager.query(`SELECT pg_advisory_xact_lock(hashtextextended('lattice.price_book', 0))`);
      return await work(manager);
    });
  }

  private async bringInLine(manager: EntityManager, listed: readonly ListedPrice[]): Promise<void> {
    const models = listed.map(({ model }) => model);
    const overrides: { model: string; prices: StoredPrices }[] = await manager.query(
      'SELECT model, prices FROM price_overrides WHERE model = ANY($1)',
      [models],
    );
    const current: CurrentRow[] = await manager.query(
      'SELECT model, content_hash, source FROM price_versions WHERE valid_to IS NULL AND model = ANY($1)',
      [models],
    );
    const overriding = new Map(overrides.map((row) => [row.model, fromStored(row.prices)]));
    const inForce = new Map(current.map((row) => [row.model, row]));
    const changes = listed
      .map(({ model, listed: own }) => {
        const override = overriding.get(model);
        return { model, wanted: override ? { price: override, source: OPERATOR_SOURCE } : own };
      })
      .filter(({ model, wanted }) => isDifferent(inForce.get(model), wanted));
    await this.replace(manager, changes);
  }

  private async replace(
    manager: EntityManager,
    changes: readonly { model: string; wanted: ListedPrice['listed'] }[],
  ): Promise<void> {
    if (changes.length === 0) return;
    await manager.query(`SELECT pg_notify('${PRICES_CHANGED}', '')`);
    const [{ at }]: [{ at: Date }] = await manager.query('SELECT clock_timestamp() AS at');
    await manager.query(
      'UPDATE price_versions SET valid_to = $1 WHERE valid_to IS NULL AND model = ANY($2)',
      [at, changes.map(({ model }) => model)],
    );
    const rows = changes.flatMap(({ model, wanted }) => (wanted ? [{ model, ...wanted }] : []));
    await manager.query(
      `INSERT INTO price_versions (model, prices, source, content_hash, valid_from)
       SELECT model, prices, source, content_hash, $1::timestamptz
       FROM unnest($2::text[], $3::jsonb[], $4::text[], $5::text[]) AS added (model, prices, source, content_hash)`,
      [
        at,
        rows.map(({ model }) => model),
        rows.map(({ price }) => JSON.stringify(toStored(price))),
        rows.map(({ source }) => source),
        rows.map(({ price }) => priceHash(price)),
      ],
    );
  }
}

/** A list price that an operator confirms is another version: its source answers the question who set it. */
function isDifferent(current: CurrentRow | undefined, wanted: ListedPrice['listed']): boolean {
  if (!current || !wanted) return Boolean(current) !== Boolean(wanted);
  const changedHands = (current.source === OPERATOR_SOURCE) !== (wanted.source === OPERATOR_SOURCE);
  return changedHands || current.content_hash !== priceHash(wanted.price);
}

function toVersion(row: PriceRow): PriceVersion {
  return Object.freeze({
    ...fromStored(row.prices),
    version: row.version,
    model: row.model,
    source: row.source,
    validFrom: row.valid_from,
    validTo: row.valid_to ?? undefined,
  });
}
