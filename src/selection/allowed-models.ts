import type { CatalogModel } from '../catalog/index';
import type { Principal } from '../common/index';

/** Which models a key may use, ready to be asked often. */
class AllowedModels {
  private readonly ids: ReadonlySet<string>;
  private readonly providers: ReadonlySet<string>;

  constructor(names: readonly string[]) {
    this.ids = new Set(names);
    this.providers = new Set(names.filter((name) => name.endsWith('/*')).map((name) => name.slice(0, -2)));
  }

  has({ id, provider }: CatalogModel): boolean {
    return this.ids.has(id) || this.providers.has(provider);
  }
}

/** A cached principal keeps its list, so that each list is read once. */
const known = new WeakMap<readonly string[], AllowedModels>();

/** May the caller use this model? Only keys are restricted. */
export function mayUse({ allowedModels }: Principal, model: CatalogModel): boolean {
  if (allowedModels === undefined) return true;
  let allowed = known.get(allowedModels);
  if (!allowed) known.set(allowedModels, (allowed = new AllowedModels(allowedModels)));
  return allowed.has(model);
}
