import type { LanguageModelV4, LanguageModelV4FinishReason, SharedV4Warning } from '@ai-sdk/provider';
import { isJsonObject } from '../../../common/index';

/** A 200 that holds no answer, often an error object in its place. */
class MissingAnswerError extends Error {
  constructor(readonly data: unknown) {
    super('The answer has no candidates');
  }
}

/** What reasons to stop mean that are newer than the library's table; those of an error leave nothing to use. */
export const GOOGLE_STOP_REASONS: Readonly<Record<string, LanguageModelV4FinishReason['unified']>> = {
  IMAGE_PROHIBITED_CONTENT: 'content-filter',
  IMAGE_RECITATION: 'content-filter',
  MODEL_ARMOR: 'content-filter',
  MALFORMED_RESPONSE: 'error',
  UNEXPECTED_TOOL_CALL: 'error',
  TOO_MANY_TOOL_CALLS: 'error',
  MISSING_THOUGHT_SIGNATURE: 'error',
};

/** The library's model, which would take a 200 without an answer for an empty one. */
export function checkedModel(model: LanguageModelV4): LanguageModelV4 {
  const { specificationVersion, provider, modelId, supportedUrls } = model;
  return {
    specificationVersion,
    provider,
    modelId,
    supportedUrls,
    doGenerate: async (options) => {
      const result = await model.doGenerate(options);
      const isMissing = result.content.length === 0 && result.finishReason.raw === undefined;
      if (isMissing) throw new MissingAnswerError(result.response?.body);
      return result;
    },
    doStream: (options) => model.doStream(options),
  };
}

/** The model that answered, by an answer or an event of a stream as it came; the library leaves it out. */
export function servedModel(body: unknown): string | undefined {
  return isJsonObject(body) && typeof body.modelVersion === 'string' ? body.modelVersion : undefined;
}

/** The library's words on a lost signature are meant for those who call it. */
export function clearWarning(warning: SharedV4Warning): SharedV4Warning {
  if (warning.type !== 'other' || !warning.message.includes('skip_thought_signature_validator'))
    return warning;
  const message =
    'messages: the thoughts behind earlier tool calls are not known any more; the model goes on without them';
  return { type: 'other', message };
}
