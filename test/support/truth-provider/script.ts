/** What the truth provider does with one request. README.md beside this file explains every field. */
export interface Script extends Behaviour {
  /** Scripts with a name wait for a request that carries `[[script:NAME]]`; others wait in a queue. */
  readonly name?: string;
  /** The queue of this model only. */
  readonly model?: string;
  /** How many requests a queued script serves; `always` until the scripts are cleared. Default 1. */
  readonly times?: number | 'always';
  /** One behaviour per attempt that names this script; the last one repeats. */
  readonly steps?: readonly Behaviour[];
}

export interface Behaviour {
  readonly answer?: string;
  /** Streamed as `delta.reasoning_content` before the answer. */
  readonly reasoning?: string;
  /** Sealed into what `POST …/responses` encrypts before tool calls. Shown to nobody; charged as prompt when it comes back. */
  readonly thought?: string;
  readonly toolCalls?: readonly ScriptedToolCall[];
  /** Ask for the tool calls until the conversation holds this many rounds of them, then answer. */
  readonly toolRounds?: number;
  readonly finishReason?: string;
  readonly usage?: ScriptedUsage;
  /** Milliseconds before the first byte. */
  readonly delayMs?: number;
  /** Milliseconds between two chunks. */
  readonly chunkDelayMs?: number;
  /** Into how many chunks the answer is split. Default: one per token, at most 8. */
  readonly chunks?: number;
  /** Fields of stream events without choices that come before all others. */
  readonly opening?: readonly object[];
  readonly fault?: Fault;
  /** Of an embeddings request: the length of the vectors, whatever was asked. */
  readonly vectorLength?: number;
}

export interface ScriptedToolCall {
  readonly name: string;
  /** An object is sent as JSON, a string as it is (it may be broken JSON). */
  readonly arguments?: object | string;
  /** `null` leaves the id out. Default `call_<attempt>_<index>`. */
  readonly id?: string | null;
}

export interface ScriptedUsage {
  /** What the provider really charges; both default to the counted tokens. */
  readonly promptTokens?: number;
  readonly completionTokens?: number;
  readonly cachedTokens?: number;
  readonly reasoningTokens?: number;
  /** What it says: `omit` says nothing, an object is merged over the true figures (so they can be inconsistent). */
  readonly report?: 'omit' | Readonly<Record<string, unknown>>;
}

/** `afterChunks` counts content chunks; without it the fault comes before the first byte. */
export type Fault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfter?: number | string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: unknown;
    }
  | { readonly kind: 'cut'; readonly afterChunks?: number; readonly midEvent?: boolean }
  | { readonly kind: 'stall'; readonly afterChunks?: number; readonly keepAliveMs?: number }
  | { readonly kind: 'malformed'; readonly afterChunks?: number; readonly line?: string }
  | { readonly kind: 'clean-eof'; readonly afterChunks?: number }
  | { readonly kind: 'no-done' }
  | { readonly kind: 'error-body'; readonly body?: unknown }
  | { readonly kind: 'error-frame'; readonly afterChunks?: number; readonly body?: unknown }
  | { readonly kind: 'content-type'; readonly contentType?: string; readonly body?: string }
  | { readonly kind: 'empty' }
  /** In JSON: pieces of so many bytes, 1024 by default, with `chunkDelayMs` between them. */
  | { readonly kind: 'endless'; readonly pieceBytes?: number };
