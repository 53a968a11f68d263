import type { ProviderId, TaskType } from '../common/index';

export type SpeedClass = 'fast' | 'medium' | 'slow';
/** Decides the default total timeout: small 30 s, large 60 s, local 120 s; at least 5 minutes for models that reason. */
export type ModelSize = 'small' | 'large' | 'local';
export const MODEL_STATUSES = ['active', 'deprecated', 'retired'] as const;
export type ModelStatus = (typeof MODEL_STATUSES)[number];
export type InputModality = 'text' | 'image' | 'audio' | 'video' | 'document';

/** What a model can honour. A request that needs more is never routed to it. */
export interface ModelCapabilities {
  readonly tools: boolean;
  readonly parallelTools: boolean;
  readonly jsonObject: boolean;
  readonly jsonSchema: boolean;
  readonly vision: boolean;
  readonly reasoning: boolean;
  readonly streaming: boolean;
  /** False for models that reject temperature, top_p and the penalties. */
  readonly sampling: boolean;
}

export const CAPABILITIES = [
  'tools',
  'parallelTools',
  'jsonObject',
  'jsonSchema',
  'vision',
  'reasoning',
  'streaming',
  'sampling',
] as const satisfies readonly (keyof ModelCapabilities)[];

/** The APIs of OpenAI that tools may have to be called over. */
export const TOOLS_APIS = ['chat', 'responses'] as const;
export type ToolsApi = (typeof TOOLS_APIS)[number];

export const MODEL_KINDS = ['chat', 'embedding'] as const;
export type ModelKind = (typeof MODEL_KINDS)[number];

/** What is known of a model that turns texts into vectors. */
export interface EmbeddingFacts {
  /** Length of its vectors when the request names none; undefined: nobody said. */
  readonly dimensions?: number;
  /** The lengths that may be asked for. Without this and `minDimensions` there is only the one. */
  readonly allowedDimensions?: readonly number[];
  /** Every length from here to `dimensions` may be asked for. */
  readonly minDimensions?: number;
  /** Inputs in one upstream request. */
  readonly maxBatch: number;
  /** Tokens of all inputs in one upstream request together. */
  readonly maxBatchTokens?: number;
  /** Takes lists of token ids in place of texts. */
  readonly takesTokens: boolean;
  /** Can be told whether a text is a query or a document. */
  readonly hasInputTypes: boolean;
  /** Cuts a text that is too long where others refuse it. */
  readonly cutsLongTexts: boolean;
  /** Packs its vectors as base64 when asked to; as numbers the same answer has four to six times the bytes. */
  readonly hasBase64: boolean;
  /** How well its vectors find what belongs together, 0..1; an estimate. */
  readonly quality: number;
}

/** One callable model of one provider. Frozen. */
export interface CatalogModel {
  /** Canonical `provider/model`, e.g. `openai/gpt-6-sol`. */
  readonly id: string;
  readonly provider: ProviderId;
  /** What the provider is sent: its own model id or the deployment's name. */
  readonly upstreamId: string;
  /** Ids of the same model sold by several providers share this (`gpt-6-sol`). */
  readonly baseModel: string;
  readonly displayName: string;
  /** Set on models that make embeddings; those do not chat. */
  readonly embedding?: EmbeddingFacts;
  /** Of an embedding model: the most tokens of one input. */
  readonly contextWindowTokens: number;
  readonly maxOutputTokens: number;
  /** The most one image can count, in prompt tokens; undefined: the analysis' own bound holds. */
  readonly maxImageTokens?: number;
  readonly input: readonly InputModality[];
  readonly supports: ModelCapabilities;
  /** Quality estimate 0..1 per task type; an estimate until outcomes replace it. */
  readonly scores: Readonly<Record<TaskType, number>>;
  readonly scoreSource: 'estimate' | 'outcomes';
  readonly speed: SpeedClass;
  readonly size: ModelSize;
  /** Which parameter carries the output limit in OpenAI's dialect. */
  readonly maxTokensParameter: 'max_tokens' | 'max_completion_tokens';
  /**
   * Is a stream told to count its tokens (`stream_options.include_usage`)? False: never, whatever the caller writes;
   * undefined: as is usual at the provider.
   */
  readonly asksStreamUsage?: boolean;
  /** Over which API the model takes tools where its provider has two; absent: over the one that it chats over. */
  readonly toolsApi?: ToolsApi;
  readonly status: ModelStatus;
  /** Canonical id of the model to use instead, on deprecated and retired ones. */
  readonly successor?: string;
  /** Other names of exactly this model at this provider, such as its dated snapshot. */
  readonly aliases?: readonly string[];
  /** Found at run time in the provider's own list; stands in no file. */
  readonly isDiscovered?: boolean;
  /** Sold here under a name of the installation; the vendor's own entry is preferred for bare ids. */
  readonly isDeployment?: boolean;
  readonly timeouts: ModelTimeouts;
  /** What the provider takes of this model; undefined: as much as is sent. */
  readonly capacity?: Capacity;
  /** Reviewed id in @pydantic/genai-prices (`provider/model`); absent when the price stands in the YAML itself. */
  readonly priceId?: string;
  /** The administrator lets this model be called without a known price; its cost is then null. */
  readonly allowUnknownPrice?: boolean;
}

export function kindOf(model: CatalogModel): ModelKind {
  return model.embedding ? 'embedding' : 'chat';
}

/** Own timers, in milliseconds. Total bounds non-streaming calls; streams have first byte and idle limits. */
export interface ModelTimeouts {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

/** What a provider takes of the whole installation, of one model or of all of its models together. Limits nothing that is absent. */
export interface Capacity {
  readonly requestsPerMinute?: number;
  /** Prompt and completion together. */
  readonly tokensPerMinute?: number;
  /** Requests that are under way at once. */
  readonly concurrency?: number;
  /** How long a call waits for room, milliseconds; 0: it does not wait. */
  readonly queueMs: number;
  /** How many calls of one process wait at once. */
  readonly queueLength: number;
}

/** How a name a client sent was understood. */
export interface ModelResolution {
  /** The preferred one first, then the same model sold elsewhere. Never empty. */
  readonly models: readonly CatalogModel[];
  /** For instance "gpt-4 is deprecated; use openai/gpt-6-sol". */
  readonly warnings: readonly string[];
}
