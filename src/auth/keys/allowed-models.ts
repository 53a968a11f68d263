/** Which models a key may use: canonical ids, or `provider/*` for all of a provider. */
class AllowedModels {
  private readonly ids: ReadonlySet<string>;
  private readonly providers: ReadonlySet<string>;

  constructor(names: readonly string[]) {
    this.ids = new Set(names);
    this.providers = new Set(names.filter((name) => name.endsWith('/*')).map((name) => name.slice(0, -2)));
  }

  has(id: string, provider: string): boolean {
    return this.ids.has(id) || this.providers.has(provider);
  }
}

/** A cached principal keeps its list, so that each list is read once. */
const known = new WeakMap<readonly string[], AllowedModels>();

/** May a key with this list use the model? */
export function allowsModel(
  names: readonly string[],
  { id, provider }: { readonly id: string; readonly provider: string },
): boolean {
  let allowed = known.get(names);
  if (!allowed) known.set(names, (allowed = new AllowedModels(names)));
  return allowed.has(id, provider);
}
