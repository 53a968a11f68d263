import type { CatalogService, ModelKind, ModelResolution } from '../catalog/index';
import type { Principal } from '../common/index';
import { mayUse } from './allowed-models';
import { requireKind } from './model-kind';
import { namedNotAllowed } from './refusals';

/**
 * The sellers of a named model, those that the key may use first. A name with its provider in it means that one.
 * @throws ModelNotFoundError (404); ValidationError (400) for a model of another kind; ModelNotAllowedError (403).
 */
export function resolveNamed(
  catalog: CatalogService,
  asked: { readonly name: string; readonly kind: ModelKind },
  principal: Pick<Principal, 'allowedModels'>,
): ModelResolution {
  const resolution = catalog.resolve(asked.name);
  const [preferred] = resolution.models;
  requireKind(preferred, asked.kind, 'model');
  if (!preferred || mayUse(principal, preferred)) return resolution;
  const isItsProviders = asked.name.toLowerCase().startsWith(`${preferred.provider}/`);
  const allowed = resolution.models.filter((model) => mayUse(principal, model));
  if (isItsProviders || allowed.length === 0) throw namedNotAllowed(preferred);
  return { ...resolution, models: [...new Set([...allowed, ...resolution.models])] };
}
