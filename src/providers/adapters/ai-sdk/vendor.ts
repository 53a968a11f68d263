import type {
  LanguageModelV4,
  LanguageModelV4FinishReason,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
  SharedV4Warning,
} from '@ai-sdk/provider';
import type { TokenUsage } from '../../../common/index';
import type { ChatCall, KeptThought, RecallCall } from '../../provider.port';
import type { AnswerWatch } from './answer-watch';
import type { ErrorDialect } from './errors';
import type { ConvertedRequest, RequestDialect } from './request';

/** Makes a model whose requests go through `fetch`. Cheap: one per call. */
export type ModelFactory = (upstreamId: string, fetch: typeof globalThis.fetch) => LanguageModelV4;

/** What one provider package of the AI SDK needs beyond the shared conversion. */
export interface AiSdkVendor extends RequestDialect, ErrorDialect {
  /** Loads the package at first use. @throws ProviderUnavailableError when it is not installed. */
  load(): Promise<ModelFactory>;
  /** Adds the vendor's own call options. */
  refine(request: ConvertedRequest, call: ChatCall): Promise<ConvertedRequest>;
  /** The thoughts that `refine` would put into the prompt, once for each place. */
  recall?(options: ConvertedRequest['options'], call: RecallCall): Promise<readonly KeptThought[]>;
  usage(usage: LanguageModelV4Usage): TokenUsage;
  /** What the provider's reasons to stop mean that the library does not know. */
  readonly stopReasons?: Readonly<Record<string, LanguageModelV4FinishReason['unified']>>;
  /** Usage that a part tells before the end, for streams that are cut. */
  earlyUsage(part: LanguageModelV4StreamPart): TokenUsage | undefined;
  /** The model that answered, where the library leaves it out of an answer or of the raw events of a stream. */
  servedModel?(body: unknown): string | undefined;
  /** A warning of the library in words for our callers. */
  clearWarning?(warning: SharedV4Warning): SharedV4Warning;
  /** Sees each answer, for what a later request has to bring back. */
  watch?(call: ChatCall): AnswerWatch;
}
