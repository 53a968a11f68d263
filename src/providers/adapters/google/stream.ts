import type { LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { isJsonObject } from '../../../common/index';
import { clearWarning, keepSignature, modelVersion } from './response';
import type { ThoughtSignatures } from './thought-signatures';

type RawPart = Extract<LanguageModelV4StreamPart, { type: 'raw' }>;

/**
 * Adds what the library leaves out of a stream, and keeps the signatures of its tool calls. Of the raw events only those
 * with a usage stay, for streams that are cut.
 */
export function completedStream(
  stream: ReadableStream<LanguageModelV4StreamPart>,
  modelId: string,
  signatures: ThoughtSignatures,
): ReadableStream<LanguageModelV4StreamPart> {
  let isModelKnown = false;
  const rawEvent = (part: RawPart): LanguageModelV4StreamPart[] => {
    const served = isModelKnown ? undefined : modelVersion(part.rawValue);
    isModelKnown ||= served !== undefined;
    return [
      ...(served ? [{ type: 'response-metadata' as const, modelId: served }] : []),
      ...(hasUsage(part.rawValue) ? [part] : []),
    ];
  };
  const told = (part: LanguageModelV4StreamPart): LanguageModelV4StreamPart[] => {
    if (part.type === 'raw') return rawEvent(part);
    if (part.type === 'stream-start') return [{ ...part, warnings: part.warnings.map(clearWarning) }];
    if (part.type === 'tool-call') keepSignature(part, modelId, signatures);
    return [part];
  };
  return stream.pipeThrough(
    new TransformStream({
      transform(part, controller) {
        for (const one of told(part)) controller.enqueue(one);
      },
    }),
  );
}

function hasUsage(value: unknown): boolean {
  return isJsonObject(value) && isJsonObject(value.usageMetadata);
}
