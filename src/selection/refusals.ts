/** Why no plan could be made, in words that say what would help. */
import type { TaskProfile } from '../analysis/index';
import type { CatalogModel } from '../catalog/index';
import type { DirectUse } from '../common/index';
import { type AppError, ProviderUnavailableError, RequiresImplementationError } from '../errors/index';
import { type ProviderAvailability, type RefusedCall, unavailableError } from '../providers/index';
import type { FilteredModel, FilterReason } from './execution-plan';
import {
  CapabilityMissingError,
  ContextLengthExceededError,
  ModelNotAllowedError,
  NoSuitableModelError,
  PriceUnknownError,
} from './selection.errors';

const WHAT: Readonly<Record<FilterReason, string>> = {
  not_allowed: 'are not allowed for this API key',
  unavailable: 'have no available provider',
  context_window: 'are too small for the prompt and the answer asked for',
  vision: 'take no images',
  document: 'read no documents',
  audio: 'take no audio',
  video: 'take no video',
  tools: 'call no tools',
  json_schema: 'cannot answer in the JSON format asked for',
  streaming: 'do not stream',
  price_unknown: 'have no known price',
  retired: 'are retired',
  blocked_by_guide: 'are blocked by the guide',
  not_asked_for: 'were not asked for',
  below_target: 'are not expected to be good enough',
};

const REMEDY: Readonly<Partial<Record<FilterReason, string>>> = {
  not_allowed: 'use a key that allows more models',
  context_window: 'shorten the messages or lower max_tokens',
  vision: 'leave the images out',
  document: 'send the text of the documents',
  audio: 'send the text of the audio',
  video: 'send the text or images of the video',
  tools: 'leave the tools out',
  json_schema: 'leave response_format out',
  streaming: 'ask without stream',
  price_unknown: "set an operator's price",
  blocked_by_guide: 'name one of them as model',
};

/** How many models each reason removed. */
export function countReasons(
  filtered: readonly FilteredModel[],
): Readonly<Partial<Record<FilterReason, number>>> {
  const counts: Partial<Record<FilterReason, number>> = {};
  for (const { reason } of filtered) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

/** Reasons that no change of the request helps against. */
const BEYOND_REQUEST: ReadonlySet<FilterReason> = new Set(['unavailable', 'retired', 'not_allowed']);

/**
 * Nothing is left to route to: 403 when the key allows nothing that there is, 503 when no provider can be called at all,
 * 501 when only a script may call and there is none, else 422 with the constraints that failed.
 */
export function nothingToRouteTo(
  filtered: readonly FilteredModel[],
  unavailable: readonly ProviderAvailability[],
  useDirect?: DirectUse,
): AppError {
  const counts = countReasons(filtered);
  const reasons = Object.keys(counts) as FilterReason[];
  if (counts.not_allowed && reasons.every((reason) => reason === 'not_allowed' || reason === 'retired')) {
    return new ModelNotAllowedError(
      'This API key allows no model that there is; GET /api/v1/catalog/models lists all',
    );
  }
  if (useDirect === false && counts.unavailable) return noScript(counts);
  const remedies = reasons.map((reason) => REMEDY[reason]).filter((remedy) => remedy !== undefined);
  const variables = absentProviders(filtered, unavailable).map(variablesOf);
  if (counts.unavailable && variables.length > 0) remedies.push(`set ${variables.join(' or ')}`);
  if (remedies.length === 0 || reasons.every((reason) => BEYOND_REQUEST.has(reason))) {
    return new ProviderUnavailableError(
      'key_missing',
      `No provider${counts.not_allowed ? ' of the models that this API key allows' : ''} is available: set ${variables.join(' or ') || 'the credentials of one'}`,
      { details: { filtered: counts } },
    );
  }
  const parts = reasons.map((reason) => `${counts[reason] ?? 0} ${WHAT[reason]}`);
  return new NoSuitableModelError(
    `No model can serve this request: ${parts.join(', ')}. What would help: ${remedies.join('; ')}`,
    { details: { filtered: counts } },
  );
}

/** A command for one of them is what is missing. */
export function noScript(counts: Readonly<Record<string, number>>): RequiresImplementationError {
  return new RequiresImplementationError(
    'direct_off',
    'useDirect is false, and scripts.yaml names no command for a model that can serve this request. Name one, or leave useDirect out',
    { details: { filtered: counts, file: 'scripts.yaml' } },
  );
}

/** Those whose credentials would help: of a key that is restricted, only the providers of what it allows. */
function absentProviders(
  filtered: readonly FilteredModel[],
  unavailable: readonly ProviderAvailability[],
): readonly ProviderAvailability[] {
  const missing = unavailable.filter(({ reason }) => reason === 'key_missing');
  if (filtered.every(({ reason }) => reason !== 'not_allowed')) return missing;
  const asked = filtered.filter(({ reason }) => reason === 'unavailable').map(({ modelId }) => modelId);
  return missing.filter(({ provider }) => asked.some((id) => id.startsWith(`${provider}/`)));
}

/** What a named model lacks, and the field of the request that needs it. */
const LACKS: Readonly<Partial<Record<FilterReason, { readonly what: string; readonly param: string }>>> = {
  vision: { what: 'takes no images', param: 'messages' },
  document: { what: 'reads no documents', param: 'messages' },
  audio: { what: 'takes no audio', param: 'messages' },
  video: { what: 'takes no video', param: 'messages' },
  tools: { what: 'calls no tools', param: 'tools' },
  json_schema: { what: 'cannot answer in the JSON format asked for', param: 'response_format' },
  streaming: { what: 'does not stream', param: 'stream' },
};

/** Why another seller of the named model is not there. */
const ABSENT: ReadonlySet<FilterReason> = new Set(['unavailable', 'not_asked_for', 'not_allowed']);

/** The caller's key may not use what was named. */
export function namedNotAllowed({ id }: CatalogModel): ModelNotAllowedError {
  return new ModelNotAllowedError(
    `This API key may not use the model ${id}; GET /v1/models lists those it may use`,
  );
}

/** The named model cannot serve the request: the first thing in its way that is not another seller's absence. */
export function namedCannotServe(
  model: CatalogModel,
  filtered: readonly FilteredModel[],
  { profile, useDirect }: { readonly profile: TaskProfile; readonly useDirect?: DirectUse },
  availability: ProviderAvailability | undefined,
): AppError {
  const first = filtered.find(({ reason }) => !ABSENT.has(reason));
  if (!first) return providerAbsent(model, availability, { useDirect });
  const lack = LACKS[first.reason];
  if (lack) {
    return new CapabilityMissingError(
      `The model ${first.modelId} ${lack.what}: ${remedyOf(first.reason)}"model": "auto" finds one that can, if there is one`,
      { param: lack.param },
    );
  }
  if (first.reason === 'context_window') {
    return new ContextLengthExceededError(
      `This model's maximum context length is ${model.contextWindowTokens} tokens, but the messages have about ` +
        `${profile.features.estimatedPromptTokens}. Please shorten them or use "model": "auto"`,
    );
  }
  return new PriceUnknownError(
    `The price of ${first.modelId} is not known, so a call could not be billed. An operator can set one`,
    { param: 'model' },
  );
}

function remedyOf(reason: FilterReason): string {
  const remedy = REMEDY[reason];
  return remedy === undefined ? '' : `${remedy}, or `;
}

/** Nobody who sells the model can be called. */
export function providerAbsent(
  { id, provider }: CatalogModel,
  state: ProviderAvailability | undefined,
  call: Omit<RefusedCall, 'modelId'>,
): AppError {
  const unknown = { provider, state: 'unavailable', variables: [], detail: 'no credentials' } as const;
  return unavailableError(state ?? { ...unknown, reason: 'key_missing' }, { ...call, modelId: id });
}

function variablesOf({ variables }: ProviderAvailability): string {
  return variables.join(' with ');
}
