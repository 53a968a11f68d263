import type { CatalogModel, DiscoveredFacts } from '../catalog/index';
import type { ChatBody, JsonObject, JsonValue, ProviderId, TokenUsage } from '../common/index';

/** Why the model stopped, in one vocabulary. `unknown` means the upstream never said. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'error' | 'unknown';

/** One upstream attempt, in OpenAI's chat dialect. An adapter makes exactly one billable request of it; it never retries. */
export interface ChatCall {
  readonly model: CatalogModel;
  /** The body to send; `model` is already the upstream id. */
  readonly body: ChatBody;
  /** Aborted by the caller's disconnect, the deadline or shutdown. The adapter's own timers come on top. */
  readonly signal: AbortSignal;
  /** Sent upstream as x-request-id where the provider takes one. `req_…`. */
  readonly requestId: string;
}

/** What an attempt told about itself, streamed or not. */
export interface AttemptReport {
  readonly usage: TokenUsage;
  /** The provider's own usage object, as it came. */
  readonly rawUsage?: JsonValue;
  readonly finishReason: FinishReason;
  readonly rawFinishReason?: string;
  /** The model id that the answer named. */
  readonly modelServed?: string;
  readonly upstreamRequestId?: string;
  /** Parameters that the model could not honour. */
  readonly warnings: readonly string[];
}

export interface ChatResult {
  readonly report: AttemptReport;
  /** A chat.completion object in OpenAI's dialect. */
  readonly body: JsonObject;
  /** The upstream's own bytes when it speaks the dialect; may be passed on untouched. */
  readonly rawBody?: Buffer;
}

/** One chat.completion.chunk; `data` is its JSON text, as the upstream wrote it where the dialects agree. */
export interface ChatChunk {
  readonly data: string;
  readonly chunk: JsonObject;
}

/**
 * A running stream. Iterate `chunks` to the end, then read `report()`. The iteration throws a ProviderError when the
 * upstream cut it, stalled, or sent an error; leaving the iteration early aborts the upstream call.
 */
export interface ChatStream {
  readonly chunks: AsyncIterable<ChatChunk>;
  /** What is known so far; complete once `chunks` ended without an error. */
  report(): AttemptReport;
  /** Upstream lines that were not valid and were skipped. */
  readonly malformedLines: () => number;
}

/** What a provider tells of one of its models. Unknown is undefined. */
export interface ModelFacts extends DiscoveredFacts {
  /** False for models that only embed. */
  readonly canChat: boolean;
}

export interface ProviderAdapter {
  readonly provider: ProviderId;
  /** @throws ProviderError with the failure class already decided. */
  chat(call: ChatCall): Promise<ChatResult>;
  /** Resolves once the upstream has answered 2xx with an event stream; the first chunk may still be to come. */
  chatStream(call: ChatCall): Promise<ChatStream>;
  /** The cheapest call that costs nothing: the ids the account can use. */
  listModels?(signal: AbortSignal): Promise<readonly string[]>;
  /** Asked for the models of `local`, whose list says nothing but names. */
  describeModel?(id: string, signal: AbortSignal): Promise<ModelFacts>;
  /** Closes sockets. */
  close?(): Promise<void>;
}
