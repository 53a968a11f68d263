import { type CatalogService, ModelNotFoundError } from '../../catalog/index';

/** Names of models as outcomes have them. Made for one batch: it remembers what it was asked. */
export class BaseModels {
  private readonly known = new Map<string, string | undefined>();
  private readonly missing: string[] = [];

  constructor(private readonly catalog: Pick<CatalogService, 'resolve'>) {}

  /** The catalog's name for the model, whoever sells it; the name as given when the catalog has none. */
  nameOf(given: string): string {
    return this.find(given) ?? given;
  }

  /** Names that were asked for and that the catalog does not know. */
  get unknown(): readonly string[] {
    return this.missing;
  }

  private find(given: string): string | undefined {
    if (!this.known.has(given)) this.known.set(given, this.resolve(given));
    return this.known.get(given);
  }

  private resolve(given: string): string | undefined {
    try {
      return this.catalog.resolve(given).models[0]?.baseModel;
    } catch (error) {
      if (!(error instanceof ModelNotFoundError)) throw error;
      this.missing.push(given);
      return undefined;
    }
  }
}
