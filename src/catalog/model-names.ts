/** Every name a client may use, resolved ahead of time: a look-up on the hot path is one or two map reads. */
import { distance } from 'fastest-levenshtein';
import { PROVIDER_IDS, type ProviderId } from '../common/index';
import { ModelNotFoundError } from './catalog.errors';
import type { CatalogModel, ModelResolution } from './model';

const PROVIDER_ALIASES: ReadonlyMap<string, ProviderId> = new Map<string, ProviderId>([
  ...PROVIDER_IDS.map((id) => [id, id] as const),
  ['grok', 'xai'],
  ['gemini', 'google'],
  ['claude', 'anthropic'],
  ['ollama', 'local'],
]);
const NEAREST = 3;
/** Longer names are not compared letter by letter. */
const COMPARED_CHARS = 100;

export class ModelNames {
  private readonly byName = new Map<string, ModelResolution>();
  private readonly byId: ReadonlyMap<string, CatalogModel>;

  constructor(private readonly models: readonly CatalogModel[]) {
    this.byId = new Map(models.map((model) => [model.id, model]));
    const ranked = models.toSorted(byPreference);
    const sellers = Map.groupBy(ranked, (model) => model.baseModel.toLowerCase());
    for (const model of ranked) this.register(model, sellers.get(model.baseModel.toLowerCase()) ?? []);
    for (const [baseModel, group] of sellers) this.addName(baseModel, group);
  }

  find(id: string): CatalogModel | undefined {
    return this.byId.get(id);
  }

  /** @throws ModelNotFoundError with the nearest known ids. */
  resolve(asked: string): ModelResolution {
    const name = asked.toLowerCase();
    const found = this.byName.get(name) ?? this.byName.get(canonicalPrefix(name));
    if (!found) throw new ModelNotFoundError(asked, this.nearest(name));
    return found;
  }

  /** What the vendor calls the model comes before what installations call their deployments. */
  private register(model: CatalogModel, group: readonly CatalogModel[]): void {
    const others = group.filter((other) => other !== model);
    const bare = [model.id.slice(model.provider.length + 1), ...(model.aliases ?? []), model.upstreamId];
    for (const name of bare) {
      this.addName(`${model.provider}/${name}`, [model, ...others]);
      this.addName(name, [model, ...others]);
    }
  }

  /** The first owner of a name keeps it; models come in order of preference. */
  private addName(name: string, models: readonly CatalogModel[]): void {
    const key = name.toLowerCase();
    const [first] = models;
    if (!first || this.byName.has(key)) return;
    this.byName.set(key, Object.freeze({ models: Object.freeze(models), warnings: warningsOf(first) }));
  }

  private nearest(name: string): string[] {
    const asked = name.slice(0, COMPARED_CHARS);
    const bare = asked.slice(asked.indexOf('/') + 1);
    return this.models
      .map((model) => {
        const own = model.id.slice(model.provider.length + 1).toLowerCase();
        return { id: model.id, far: Math.min(distance(asked, model.id.toLowerCase()), distance(bare, own)) };
      })
      .toSorted((a, b) => a.far - b.far || a.id.localeCompare(b.id))
      .slice(0, NEAREST)
      .map(({ id }) => id);
  }
}

function byPreference(a: CatalogModel, b: CatalogModel): number {
  return (
    Number(a.isDeployment ?? false) - Number(b.isDeployment ?? false) ||
    PROVIDER_IDS.indexOf(a.provider) - PROVIDER_IDS.indexOf(b.provider)
  );
}

function canonicalPrefix(name: string): string {
  const slash = name.indexOf('/');
  const provider = PROVIDER_ALIASES.get(name.slice(0, slash));
  return provider ? `${provider}${name.slice(slash)}` : name;
}

function warningsOf(model: CatalogModel): readonly string[] {
  if (model.status === 'active') return Object.freeze([]);
  const state =
    model.status === 'retired'
      ? 'is deprecated and retired, its provider may refuse it'
      : 'is deprecated by its provider';
  return Object.freeze([`${model.id} ${state}${model.successor ? `; use ${model.successor}` : ''}`]);
}
