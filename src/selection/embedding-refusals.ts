/** Why nobody can make the vectors, in words that say what would help. */
import type { CatalogModel } from '../catalog/index';
import type { EmbeddingRequest } from '../common/index';
import { type AppError, ProviderUnavailableError, ValidationError } from '../errors/index';
import type { ProviderAvailability } from '../providers/index';
import { countsOf, type EmbeddingFilterReason, type LeftOutModel } from './embedding-plan';
import { noScript, providerAbsent } from './refusals';
import { ModelNotAllowedError, NoSuitableModelError, PriceUnknownError } from './selection.errors';

const ABSENT: ReadonlySet<EmbeddingFilterReason> = new Set(['unavailable', 'not_asked_for', 'not_allowed']);

/** The named model: the first thing in its way that is not another seller's absence. */
export function namedCannotEmbed(
  model: CatalogModel,
  filtered: readonly LeftOutModel[],
  request: EmbeddingRequest,
  state: ProviderAvailability | undefined,
): AppError {
  const first = filtered.find(({ reason }) => !ABSENT.has(reason));
  if (!first) return providerAbsent(model, state, { useDirect: request.useDirect, kind: 'embedding' });
  if (first.reason === 'dimensions') {
    return new ValidationError(dimensionsText(first.model, request.dimensions), { param: 'dimensions' });
  }
  if (first.reason === 'token_input') {
    return new ValidationError(`The model ${first.model.id} takes texts only: send strings, not token ids`, {
      param: 'input',
    });
  }
  return new PriceUnknownError(
    `The price of ${first.model.id} is not known, so a call could not be billed. An operator can set one`,
    { param: 'model' },
  );
}

/** Nothing is left to choose from. */
export function nothingEmbeds(
  filtered: readonly LeftOutModel[],
  request: EmbeddingRequest,
  unavailable: readonly ProviderAvailability[],
): AppError {
  const reasons = new Set(filtered.map(({ reason }) => reason));
  if (reasons.has('not_allowed') && [...reasons].every((one) => one === 'not_allowed' || one === 'retired')) {
    return new ModelNotAllowedError('This API key allows no embedding model that there is');
  }
  if (request.useDirect === false && reasons.has('unavailable')) return noScript(countsOf(filtered));
  const remedies: string[] = [];
  if (reasons.has('dimensions')) {
    remedies.push(`leave dimensions out (no available model makes ${request.dimensions ?? 0})`);
  }
  if (reasons.has('token_input')) remedies.push('send texts in place of token ids');
  if (reasons.has('price_unknown')) remedies.push("set an operator's price");
  const absent = new Set(
    filtered.filter(({ reason }) => reason === 'unavailable').map(({ model }) => model.provider),
  );
  const variables = unavailable
    .filter(({ provider, reason }) => absent.has(provider) && reason === 'key_missing')
    .map((state) => state.variables.join(' with '));
  if (remedies.length === 0) {
    return new ProviderUnavailableError(
      'key_missing',
      `No provider of an embedding model is available: set ${variables.join(' or ') || 'the credentials of one'}`,
    );
  }
  if (variables.length > 0) remedies.push(`set ${variables.join(' or ')}`);
  return new NoSuitableModelError(
    `No embedding model can serve this request. What would help: ${remedies.join('; ')}`,
    { param: 'model' },
  );
}

function dimensionsText({ id, embedding }: CatalogModel, asked: number | undefined): string {
  const { dimensions, allowedDimensions, minDimensions } = embedding ?? {};
  const own = allowedDimensions
    ? `of ${allowedDimensions.join(', ')} dimensions`
    : minDimensions === undefined
      ? `of ${dimensions ?? 'a fixed number of'} dimensions only`
      : `of ${minDimensions} to ${dimensions ?? 'its own number of'} dimensions`;
  return `The model ${id} makes vectors ${own}; ${asked ?? 0} were asked for`;
}
