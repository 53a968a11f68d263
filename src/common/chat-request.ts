import { isJsonObject, type JsonObject, type JsonValue } from './json';

/** A message of OpenAI's chat dialect. Fields not named here are kept and passed on. */
export interface ChatMessage extends JsonObject {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool' | 'function';
  readonly content?: string | null | readonly ContentPart[];
  readonly name?: string;
  readonly tool_calls?: readonly ChatToolCall[];
  readonly tool_call_id?: string;
}

/** `text`, `image_url`, `input_audio`, `file` or a part of a dialect we do not know and pass on. */
export interface ContentPart extends JsonObject {
  readonly type: string;
  readonly text?: string;
  readonly image_url?: { readonly url: string; readonly detail?: string };
}

/** Of a function, or of a custom tool, whose input is text of any kind. */
export interface ChatToolCall extends JsonObject {
  readonly id: string;
  readonly type: 'function' | 'custom';
  readonly function?: { readonly name: string; readonly arguments: string };
  readonly custom?: { readonly name: string; readonly input: string };
}

export interface FunctionToolCall extends ChatToolCall {
  readonly function: NonNullable<ChatToolCall['function']>;
}

export interface ChatTool extends JsonObject {
  readonly type: string;
  readonly function?: {
    readonly name: string;
    readonly description?: string;
    readonly parameters?: JsonObject;
    readonly strict?: boolean;
  };
}

export interface ResponseFormat extends JsonObject {
  readonly type: string;
  readonly json_schema?: {
    readonly name: string;
    readonly schema?: JsonObject;
    readonly strict?: boolean;
    readonly description?: string;
  };
}

/** The body of `POST /v1/chat/completions` in OpenAI's dialect; unknown fields are kept. Never mutated. */
export interface ChatBody extends JsonObject {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly n?: number;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly stop?: string | readonly string[] | null;
  readonly seed?: number;
  readonly tools?: readonly ChatTool[];
  readonly tool_choice?: JsonValue;
  readonly response_format?: ResponseFormat;
}

/** `refresh` asks anew and keeps the answer. */
export const CACHING_OPTIONS = ['on', 'off', 'refresh'] as const;
export type CachingOption = (typeof CACHING_OPTIONS)[number];
export type CachingMode = Exclude<CachingOption, 'off'>;

/** Of `answerWorthUsd`, wherever it is said. */
export const MAX_ANSWER_WORTH_USD = 1_000_000;

/**
 * False: the provider is called by the installation's script or not at all. `only`: directly or not at all. Default true:
 * directly, and by the script where the key or the package for that is missing.
 */
export type DirectUse = boolean | 'only';

/** Lattice's own options, taken out of the body (`lattice`) and the `x-lattice-*` headers before anything goes upstream. */
export interface LatticeOptions {
  /** Names of server-side tools to enable. */
  readonly tools: readonly string[];
  readonly taskType?: string;
  /** May a pinned model fall over to another one? Default `same-model`: only to the same model sold elsewhere. */
  readonly fallback?: 'same-model' | 'any' | 'none';
  /** Models that may be tried after the asked one, in this order. */
  readonly models?: readonly string[];
  readonly useDirect?: DirectUse;
  /** May an earlier answer be given? Default: what the key says. */
  readonly cache?: CachingOption;
  /** Quality target of routed requests, 0 < quality <= 1: the cheapest model expected to be that good beside the best. */
  readonly quality?: number;
  /**
   * What an answer that fully succeeds is worth, in US dollars: the model is wanted whose expected quality times that, less
   * its expected cost, is highest.
   */
  readonly answerWorthUsd?: number;
}

/** What the gateway hands to the pipeline: validated, frozen. */
export interface ChatRequest {
  /** As the client sent it, without `lattice`. */
  readonly body: ChatBody;
  readonly options: LatticeOptions;
  /** Size of the JSON text of `body` in UTF-8 bytes, or a safe upper bound of it. */
  readonly bodyBytes: number;
  /**
   * The dialect that the body was written from; absent: OpenAI's chat. A body from another may hold what only some
   * models take; the attempts at the others leave it out.
   */
  readonly dialect?: 'messages' | 'responses';
  /** What the caller should know, whoever answers. */
  readonly warnings?: readonly string[];
}

/** The prompt as plain text, for counting and matching: the text parts of one message. */
export function messageText(message: ChatMessage): string {
  const { content } = message;
  if (typeof content === 'string') return content;
  if (!content) return '';
  return content.map((part) => part.text ?? '').join('\n');
}

export function hasImages(messages: readonly ChatMessage[]): boolean {
  return messages.some((message) => Array.isArray(message.content) && message.content.some(isImagePart));
}

export function isImagePart(part: ContentPart): boolean {
  return part.type === 'image_url' || part.type === 'input_image';
}

/** A tool call's arguments as the object that models and clients are promised, also where a model wrote something else. */
export function toolArguments(text: string | undefined): JsonObject {
  if (!text) return {};
  try {
    const parsed = JSON.parse(text) as JsonValue;
    return isJsonObject(parsed) ? parsed : { arguments: parsed };
  } catch {
    return { arguments: text };
  }
}

/** The output limit the client asked for, whichever of the two names it used. */
export function requestedMaxTokens(body: ChatBody): number | undefined {
  return body.max_completion_tokens ?? body.max_tokens ?? undefined;
}
