import { fromApiId } from '../../common/index';
import { NotFoundError } from '../../errors/index';
import type { OwnedResource } from '../decorators/owned-by.decorator';

/** A kind of thing, as ids and messages name it. */
type Named = Pick<OwnedResource, 'prefix' | 'name'>;

/** The same answer for a malformed id, a missing thing and a foreign one. */
export function noSuch({ name }: Pick<Named, 'name'>, param = 'id'): NotFoundError {
  return new NotFoundError(`There is no such ${name}.`, { param });
}

/** The UUID behind the API id of such a thing. @throws NotFoundError when the text is not one. */
export function ownedId(resource: Named, apiId: string, param = 'id'): string {
  const id = fromApiId(resource.prefix, apiId);
  if (id === undefined) throw noSuch(resource, param);
  return id;
}
