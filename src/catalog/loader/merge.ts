import type { ProviderId } from '../../common/index';
import { ConfigurationError } from '../../errors/index';
import type {
  CapacityEntry,
  CatalogFile,
  ModelEntry,
  TierTables,
  TimeoutsEntry,
} from './catalog-file.schema';
import type { ReadFile } from './read-files';
import { hasResponses } from './tools-api';

/** An entry after all files were laid over each other, and where it was last written. */
export interface MergedEntry {
  readonly entry: ModelEntry;
  readonly file: string;
  /** `models[3]` */
  readonly path: string;
}

/** What all models of a provider share, and where its capacity was last written. */
export interface MergedProvider {
  readonly capacity?: CapacityEntry;
  /** Hold for each of its models that says nothing else itself. */
  readonly timeouts?: TimeoutsEntry;
  readonly file: string;
  /** `providers.openai` */
  readonly path: string;
}

export interface MergedCatalog {
  readonly entries: readonly MergedEntry[];
  readonly providers: ReadonlyMap<ProviderId, MergedProvider>;
  readonly tiers: TierTables;
}

type Fields = Omit<ModelEntry, 'id'>;
const NESTED = ['supports', 'scores', 'timeouts', 'embedding', 'capacity'] as const;

/**
 * Lays the folders over each other: a later folder overrides single fields of a model by its id, or adds a model.
 * Within one folder an id may stand once.
 * @param folders the built-in one first, the administrator's last
 * @throws ConfigurationError on a duplicate or on a deployment without a known base.
 */
export function mergeCatalog(folders: readonly (readonly ReadFile[])[]): MergedCatalog {
  const written = new Map<string, MergedEntry>();
  const providers = new Map<ProviderId, MergedProvider>();
  let tiers: TierTables = {};
  for (const files of folders) {
    const seen = new Map<string, string>();
    for (const { file, content } of files) {
      tiers = { ...tiers, ...content.tiers };
      mergeProviders(file, content, providers);
      for (const own of entriesOf(file, content)) {
        refuseDuplicate(own, seen);
        const before = written.get(own.entry.id)?.entry;
        const entry = { ...overlay(before ?? content.defaults ?? {}, own.entry), id: own.entry.id };
        written.set(own.entry.id, { ...own, entry });
      }
    }
  }
  const entries = [...written.values()].map((merged) => withProvider(followBase(merged, written), providers));
  return { entries, providers, tiers };
}

function mergeProviders(file: string, content: CatalogFile, merged: Map<ProviderId, MergedProvider>): void {
  for (const [name, { capacity, timeouts }] of Object.entries(content.providers ?? {})) {
    const provider = name as ProviderId;
    const before = merged.get(provider);
    merged.set(provider, {
      capacity: capacity ? { ...before?.capacity, ...capacity } : before?.capacity,
      timeouts: { ...before?.timeouts, ...timeouts },
      file: capacity || !before ? file : before.file,
      path: `providers.${name}`,
    });
  }
}

function entriesOf(file: string, content: CatalogFile): MergedEntry[] {
  const models = (content.models ?? []).map((entry, index) => ({ entry, file, path: `models[${index}]` }));
  const deployments = (content.deployments ?? []).map((entry, index) => ({
    entry,
    file,
    path: `deployments[${index}]`,
  }));
  return [...models, ...deployments];
}

function refuseDuplicate({ entry, file, path }: MergedEntry, seen: Map<string, string>): void {
  const id = entry.id.toLowerCase();
  const first = seen.get(id);
  if (first) throw new ConfigurationError(`${file}: ${path}.id: "${entry.id}" stands in ${first} already`);
  seen.set(id, `${file}: ${path}`);
}

/** A price given one way replaces a price given the other way. */
function overlay(under: Fields, over: Fields): Fields {
  const merged: Fields = { ...under, ...over };
  for (const key of NESTED) {
    if (under[key] && over[key]) Object.assign(merged, { [key]: { ...under[key], ...over[key] } });
  }
  if (over.price && !over.priceId) delete merged.priceId;
  if (over.priceId && !over.price) delete merged.price;
  return merged;
}

function followBase(merged: MergedEntry, written: ReadonlyMap<string, MergedEntry>): MergedEntry {
  const { entry } = merged;
  if (!entry.base) return merged;
  const base = written.get(entry.base)?.entry;
  if (!base || base.base) {
    const reason = base ? 'is itself a deployment' : 'is not a known model';
    throw new ConfigurationError(`${merged.file}: ${merged.path}.base: "${entry.base}" ${reason}`);
  }
  // Whoever sells the model has an agreement of their own.
  const { aliases: _, upstreamId: __, capacity: ___, toolsApi, ...inherited } = base;
  const name = base.displayName ?? modelName(base.id);
  const follows: Fields = {
    ...inherited,
    ...(hasResponses(entry.id) ? { toolsApi } : {}),
    baseModel: base.baseModel ?? modelName(base.id),
    displayName: `${name} (${entry.id.slice(0, entry.id.indexOf('/'))})`,
  };
  return { ...merged, entry: { ...overlay(follows, entry), id: entry.id } };
}

function withProvider(merged: MergedEntry, providers: MergedCatalog['providers']): MergedEntry {
  const { entry } = merged;
  const shared = providers.get(entry.id.slice(0, entry.id.indexOf('/')) as ProviderId)?.timeouts;
  return shared ? { ...merged, entry: { ...entry, timeouts: { ...shared, ...entry.timeouts } } } : merged;
}

/** `gpt-6-sol` of `openai/gpt-6-sol`. */
export function modelName(id: string): string {
  return id.slice(id.indexOf('/') + 1);
}
