import type { LanguageModelV4 } from '@ai-sdk/provider';
import { completedAnswer } from './response';
import { completedStream } from './stream';
import type { ThoughtSignatures } from './thought-signatures';

/** The library's model with what it leaves out of Google's answers. */
export function completedModel(model: LanguageModelV4, signatures: ThoughtSignatures): LanguageModelV4 {
  const { specificationVersion, provider, modelId, supportedUrls } = model;
  return {
    specificationVersion,
    provider,
    modelId,
    supportedUrls,
    doGenerate: async (options) => completedAnswer(await model.doGenerate(options), modelId, signatures),
    doStream: async (options) => {
      const result = await model.doStream({ ...options, includeRawChunks: true });
      return { ...result, stream: completedStream(result.stream, modelId, signatures) };
    },
  };
}
