import { createHash } from 'node:crypto';
import type { ProviderId } from '../../common/index';
import { listPrice } from '../list-price';
import type { Capacity, CatalogModel, ModelKind, ModelTimeouts } from '../model';
import type { ModelPrices } from '../price';
import { fromUsd } from '../price-conversion';
import { buildModel } from './build-model';
import { capacityOf } from './capacity';
import type { PriceEntry, TierTables } from './catalog-file.schema';
import { mergeCatalog, type MergedCatalog, type MergedEntry } from './merge';
import { readCatalogFolder } from './read-files';
import { wrong } from './wrong';

/** A price that stands in the YAML; `from` is when it begins to hold, absent meaning always. */
export interface ScheduledPrice {
  readonly from?: Date;
  readonly price: ModelPrices;
}

export interface LoadedCatalog {
  readonly models: readonly CatalogModel[];
  /** By model id; ascending by `from`. */
  readonly prices: ReadonlyMap<string, readonly ScheduledPrice[]>;
  readonly tiers: TierTables;
  /** What a provider takes of all its models together. */
  readonly capacities: ReadonlyMap<ProviderId, Capacity>;
  /** What the files say for all models of a provider. */
  readonly timeouts: ReadonlyMap<ProviderId, Partial<ModelTimeouts>>;
  /** Changes with anything that stands in the files. */
  readonly hash: string;
}

/**
 * Reads, merges and checks every catalog file.
 * @param configDirs the administrator's folder first, as AppConfig has them
 * @throws ConfigurationError naming file, place and reason.
 */
export function loadCatalog(configDirs: readonly string[]): LoadedCatalog {
  const { entries, tiers, providers } = mergeCatalog(configDirs.toReversed().map(readCatalogFolder));
  const models = entries.map((merged) => buildModel(merged, tiers));
  const prices = new Map<string, readonly ScheduledPrice[]>();
  for (const merged of entries) {
    const schedule = scheduleOf(merged);
    if (schedule) prices.set(merged.entry.id, schedule);
  }
  refuseUnknownSuccessors(entries, new Set(models.map((model) => model.id)));
  refuseSharedAliases(entries);
  const capacities = capacitiesOf(providers);
  const hash = createHash('sha256').update(JSON.stringify(entries.map((merged) => merged.entry)));
  hash.update(JSON.stringify(tiers)).update(JSON.stringify([...capacities]));
  const timeouts = new Map([...providers].map(([provider, merged]) => [provider, merged.timeouts ?? {}]));
  return { models, prices, tiers, capacities, timeouts, hash: hash.digest('hex').slice(0, 16) };
}

function capacitiesOf(providers: MergedCatalog['providers']): ReadonlyMap<ProviderId, Capacity> {
  const capacities = new Map<ProviderId, Capacity>();
  for (const [provider, merged] of providers) {
    const capacity = capacityOf(merged.capacity, merged);
    if (capacity) capacities.set(provider, capacity);
  }
  return capacities;
}

function scheduleOf(merged: MergedEntry): readonly ScheduledPrice[] | undefined {
  const { price, priceId } = merged.entry;
  if (price && priceId) throw wrong(merged, 'price', 'stands beside priceId; give one of them');
  if (priceId && !isListed(merged, priceId)) {
    throw wrong(merged, 'priceId', `"${priceId}" is no model with a price per token in genai-prices`);
  }
  if (!price) return undefined;
  const rows = Array.isArray(price) ? price : [price];
  const schedule = rows.map((row, index) =>
    scheduled(merged, row, Array.isArray(price) ? `price[${index}]` : 'price'),
  );
  return schedule.toSorted((a, b) => (a.from?.getTime() ?? 0) - (b.from?.getTime() ?? 0));
}

function isListed(merged: MergedEntry, priceId: string): boolean {
  try {
    return listPrice(priceId, new Date(), kindOfEntry(merged)) !== undefined;
  } catch (error) {
    throw wrong(merged, 'priceId', error instanceof Error ? error.message : String(error));
  }
}

function kindOfEntry({ entry }: MergedEntry): ModelKind {
  return entry.embedding ? 'embedding' : 'chat';
}

function scheduled(merged: MergedEntry, row: PriceEntry, place: string): ScheduledPrice {
  try {
    return {
      from: row.from === undefined ? undefined : new Date(`${row.from}T00:00:00Z`),
      price: fromUsd(row),
    };
  } catch (error) {
    throw wrong(merged, place, error instanceof Error ? error.message : String(error));
  }
}

function refuseUnknownSuccessors(entries: readonly MergedEntry[], known: ReadonlySet<string>): void {
  for (const merged of entries) {
    const { successor } = merged.entry;
    if (successor && !known.has(successor))
      throw wrong(merged, 'successor', `"${successor}" is not in the catalog`);
  }
}

/** Within one provider a name means one model. */
function refuseSharedAliases(entries: readonly MergedEntry[]): void {
  const owners = new Map(entries.map(({ entry }) => [entry.id.toLowerCase(), entry.id]));
  for (const merged of entries) {
    const { id, aliases = [] } = merged.entry;
    const provider = id.slice(0, id.indexOf('/'));
    for (const [index, alias] of aliases.entries()) {
      const name = `${provider}/${alias}`.toLowerCase();
      const owner = owners.get(name);
      if (owner) throw wrong(merged, `aliases[${index}]`, `"${alias}" already means ${owner}`);
      owners.set(name, id);
    }
  }
}
