import type { CatalogModel, DiscoveredFacts } from '../catalog/index';
import type { ProviderSettings } from '../config/index';
import type {
  ChatBody,
  EmbeddingEncoding,
  EmbeddingInput,
  EmbeddingInputType,
  JsonObject,
  JsonValue,
  ProviderId,
  TokenUsage,
} from '../common/index';

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
  /** Sent upstream as Idempotency-Key. Set for the steps of durable work only. */
  readonly idempotencyKey?: string;
  /** The user it is made for, by UUID. What a provider signs is kept for them. */
  readonly ownerId?: string;
  /** What `recall` found for it: this goes back, and nothing else. Absent: the adapter looks for itself. */
  readonly recalled?: readonly KeptThought[];
}

/** What a provider signed or encrypted of its thoughts before a tool call, and wants back with the call. */
export interface KeptThought {
  /** Of the whole call. */
  readonly key: string;
  readonly thought: string;
}

/** As much of a call as tells which thoughts go back with it. */
export type RecallCall = Pick<ChatCall, 'model' | 'body' | 'ownerId'>;

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
  /** False for models that only embed; those say so under `embedding`. */
  readonly canChat: boolean;
}

/** One upstream request for vectors: never more inputs than the model's `maxBatch`. An adapter never retries it. */
export interface EmbedCall {
  readonly model: CatalogModel;
  readonly inputs: readonly EmbeddingInput[];
  /** Set only when the model lets its vectors' length be chosen. */
  readonly dimensions?: number;
  /** What the client shall get in the end; an adapter may answer with either. */
  readonly encoding: EmbeddingEncoding;
  readonly inputType?: EmbeddingInputType;
  readonly user?: string;
  /** Fields that nobody here knows; they go to upstreams of OpenAI's dialect. */
  readonly extra: JsonObject;
  readonly signal: AbortSignal;
  /** `req_…`. */
  readonly requestId: string;
}

/** Numbers, or the base64 text of 32-bit floats in little-endian order. */
export type EmbeddingVector = readonly number[] | string;

export interface EmbedResult {
  /** In the order of the inputs. */
  readonly vectors: readonly EmbeddingVector[];
  readonly report: AttemptReport;
}

export interface ProviderAdapter {
  readonly provider: ProviderId;
  /**
   * Loads the code that calls need, once. Absent where there is nothing to load.
   * @throws ProviderUnavailableError (`package_missing`, with its cause) when it cannot be loaded.
   */
  load?(): Promise<void>;
  /** @throws ProviderError with the failure class already decided. */
  chat(call: ChatCall): Promise<ChatResult>;
  /** Resolves once the upstream has answered 2xx with an event stream; the first chunk may still be to come. */
  chatStream(call: ChatCall): Promise<ChatStream>;
  /**
   * The thoughts that `chat` and `chatStream` would add to the body of this call, once for each place: the provider counts
   * them as prompt. Sends nothing. Absent where none are kept. @throws AppError as they do before anything is sent.
   */
  recall?(call: RecallCall): Promise<readonly KeptThought[]>;
  /** Absent where the provider makes no embeddings. @throws ProviderError with the failure class already decided. */
  embed?(call: EmbedCall): Promise<EmbedResult>;
  /** The cheapest call that costs nothing: the ids the account can use. */
  listModels?(signal: AbortSignal): Promise<readonly string[]>;
  /** Asked for the models of `local`, whose list says nothing but names. */
  describeModel?(id: string, signal: AbortSignal): Promise<ModelFacts>;
  /** The same provider, called with another credential over the same connections; those stay this adapter's to close. */
  withSettings?(settings: ProviderSettings): ProviderAdapter;
  /** Closes sockets. */
  close?(): Promise<void>;
}
