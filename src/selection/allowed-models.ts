import { allowsModel } from '../auth/index';
import type { CatalogModel } from '../catalog/index';
import type { Principal } from '../common/index';

/** May the caller use this model? Only keys are restricted. */
export function mayUse({ allowedModels }: Pick<Principal, 'allowedModels'>, model: CatalogModel): boolean {
  return allowedModels === undefined || allowsModel(allowedModels, model);
}
