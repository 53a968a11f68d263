/** Hard constraints: what a model must have before its score is asked for. */
import type { TaskProfile } from '../analysis/index';
import type { CatalogModel } from '../catalog/index';
import type { FilteredModel, FilterReason } from './execution-plan';

/** What a message may carry beside text and images, by the names that the catalog has for them. */
export const FILE_INPUTS = ['document', 'audio', 'video'] as const;

/** The first need of the request that the model does not meet; undefined when it meets all. */
export function missingCapability(
  { input, supports }: CatalogModel,
  { needs }: TaskProfile,
): FilterReason | undefined {
  if (needs.vision && !supports.vision) return 'vision';
  const unread = FILE_INPUTS.find((kind) => needs[kind] && !input.includes(kind));
  if (unread) return unread;
  if (needs.tools && !supports.tools) return 'tools';
  if (needs.jsonSchema && !supports.jsonSchema) return 'json_schema';
  if (needs.jsonObject && !supports.jsonObject && !supports.jsonSchema) return 'json_schema';
  if (needs.streaming && !supports.streaming) return 'streaming';
  return undefined;
}

/** Does the estimated prompt with the answer that was asked for fit, and may the answer be that long? */
export function fitsWithAnswer(model: CatalogModel, { features }: TaskProfile): boolean {
  const answer = features.requestedMaxTokens ?? 0;
  return (
    features.estimatedPromptTokens + answer <= model.contextWindowTokens && answer <= model.maxOutputTokens
  );
}

/**
 * Of a model that was named only the prompt must fit, as far as it is known: how long files are and how much room is left
 * for the answer is the provider's to judge.
 */
export function fitsPrompt(model: CatalogModel, { features }: TaskProfile): boolean {
  return features.estimatedPromptTokens - features.estimatedFileTokens <= model.contextWindowTokens;
}

export function filtered(model: CatalogModel, reason: FilterReason, profile: TaskProfile): FilteredModel {
  return { modelId: model.id, reason, detail: describeFilter(model, reason, profile) };
}

function describeFilter(
  model: CatalogModel,
  reason: FilterReason,
  { features, taskType }: TaskProfile,
): string {
  switch (reason) {
    case 'not_allowed':
      return 'The API key may not use it';
    case 'unavailable':
      return `The provider ${model.provider} is not available`;
    case 'context_window':
      return contextDetail(model, features.estimatedPromptTokens, features.requestedMaxTokens ?? 0);
    case 'vision':
      return 'Takes no images';
    case 'document':
      return 'Reads no documents';
    case 'audio':
      return 'Takes no audio';
    case 'video':
      return 'Takes no video';
    case 'tools':
      return 'Calls no tools';
    case 'json_schema':
      return 'Cannot answer in the JSON format that was asked for';
    case 'streaming':
      return 'Does not stream';
    case 'price_unknown':
      return 'Its price is not known';
    case 'retired':
      return model.successor ? `Retired; its successor is ${model.successor}` : 'Retired';
    case 'blocked_by_guide':
      return `The guide blocks it for ${taskType}`;
    case 'not_asked_for':
      return 'The request allows no fallback';
    case 'below_target':
      return 'Not expected to be good enough';
  }
}

function contextDetail(model: CatalogModel, promptTokens: number, answerTokens: number): string {
  if (answerTokens > model.maxOutputTokens) {
    return `Answers have at most ${model.maxOutputTokens} tokens, ${answerTokens} were asked for`;
  }
  const answer = answerTokens > 0 ? ` and ${answerTokens} tokens of answer` : '';
  return `About ${promptTokens} prompt tokens${answer} do not fit into ${model.contextWindowTokens}`;
}
