import type {
  LanguageModelV4FinishReason,
  LanguageModelV4GenerateResult,
  SharedV4Warning,
} from '@ai-sdk/provider';
import { isJsonObject } from '../../../common/index';
import { parsedArguments } from '../ai-sdk/prompt';
import type { ThoughtSignatures } from './thought-signatures';

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

/** Adds what the library leaves out of a whole answer, and keeps the signatures of its tool calls. */
export function completedAnswer(
  result: LanguageModelV4GenerateResult,
  modelId: string,
  signatures: ThoughtSignatures,
): LanguageModelV4GenerateResult {
  const { content, response, warnings } = result;
  if (content.length === 0 && result.finishReason.raw === undefined) {
    throw new MissingAnswerError(response?.body);
  }
  for (const part of content) if (part.type === 'tool-call') keepSignature(part, modelId, signatures);
  return {
    ...result,
    warnings: warnings.map(clearWarning),
    response: { ...response, modelId: modelVersion(response?.body) },
  };
}

/** The model that answered, by an answer or an event of a stream as it came. */
export function modelVersion(body: unknown): string | undefined {
  return isJsonObject(body) && typeof body.modelVersion === 'string' ? body.modelVersion : undefined;
}

interface ToolCallPart {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly input: string;
  readonly providerMetadata?: Readonly<Record<string, unknown>>;
}

export function keepSignature(part: ToolCallPart, modelId: string, signatures: ThoughtSignatures): void {
  const google = part.providerMetadata?.google;
  const signature = isJsonObject(google) ? google.thoughtSignature : undefined;
  if (typeof signature !== 'string') return;
  signatures.keep({ ...part, modelId, input: parsedArguments(part.input) }, signature);
}

/** The library's words on a lost signature are meant for those who call it. */
export function clearWarning(warning: SharedV4Warning): SharedV4Warning {
  if (warning.type !== 'other' || !warning.message.includes('skip_thought_signature_validator'))
    return warning;
  const message =
    'messages: the thoughts behind earlier tool calls are not known any more; the model goes on without them';
  return { type: 'other', message };
}
