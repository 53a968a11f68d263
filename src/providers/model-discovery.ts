import type { CatalogModel, CatalogService } from '../catalog/index';
import type { ProviderAdapter } from './provider.port';

/**
 * The models that a provider lists by itself, each described by what the provider tells of it; models that can neither
 * chat nor embed are left out.
 * @throws ProviderError when the list call failed.
 */
export async function discoverModels(
  adapter: ProviderAdapter,
  catalog: CatalogService,
  signal: AbortSignal,
): Promise<readonly CatalogModel[]> {
  const ids = (await adapter.listModels?.(signal)) ?? [];
  const models = await Promise.all(
    ids.map(async (id) => {
      const facts = await adapter.describeModel?.(id, signal);
      if (facts && !facts.canChat && !facts.embedding) return undefined;
      return catalog.describeDiscovered(adapter.provider, id, facts);
    }),
  );
  return models.filter((model) => model !== undefined);
}
