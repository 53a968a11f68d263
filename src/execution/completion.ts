import type { JsonObject, PicoUsd, TokenUsage, WorkType } from '../common/index';
import type { RateLimitState } from '../ledger/index';
import type { ExecutionMode, FallbackReason } from '../providers/index';

/** Why the tool loop ended before the model was done. */
export type StopNote = 'max_function_calls' | 'tool_failed' | 'budget';

/** What the response cache did for a request that asked for it. */
export interface ReuseNote {
  /** `shared`: another request was getting the answer just then. `bypass`: the request is not one to keep answers of. */
  readonly status: 'hit' | 'miss' | 'shared' | 'bypass';
  /** Of a hit: how long ago the answer came. */
  readonly ageMs?: number;
}

/** What is known when the answer begins. Ids are UUIDs. */
export interface CompletionMeta {
  readonly requestId: string;
  readonly decisionId: string;
  readonly model: string;
  readonly provider: string;
  readonly taskType: WorkType;
  readonly warnings: readonly string[];
  readonly isSandbox: boolean;
  /** Undefined when nothing was executed. */
  readonly executionMode?: ExecutionMode;
  /** Why a script answered although direct execution was wanted. */
  readonly fallbackReason?: FallbackReason;
  /** Undefined when nobody asked for the response cache. */
  readonly reuse?: ReuseNote;
  /** Undefined when no limit counts requests. */
  readonly rateLimit?: RateLimitState;
}

/** What is known at its end. */
export interface CompletionTotals {
  /** Sum over every attempt, tool round and retry; undefined when a price was unknown and that was allowed. */
  readonly costPicoUsd?: PicoUsd;
  readonly attempts: number;
  readonly usage: TokenUsage;
  readonly stop?: StopNote;
}

/** A finished answer. Streams have been sent already and carry no body. */
export interface Completion {
  readonly meta: CompletionMeta;
  readonly totals: CompletionTotals;
  readonly body?: JsonObject;
  /** The upstream's own bytes, when nothing in them had to change. */
  readonly rawBody?: Buffer;
}

/** An answer as durable work keeps it. `body` is a whole chat.completion object. */
export interface AnswerToKeep {
  readonly body: JsonObject;
  /** Catalog id. */
  readonly model: string;
  readonly totals: CompletionTotals;
  /** A hard budget could not pay for as long an answer as was asked. */
  readonly isLoweredByBudget: boolean;
}

/**
 * Stores the answer of a step of durable work, and what it cost.
 * @throws what ends the request: the attempts are booked all the same
 */
export type KeepAnswer = (answer: AnswerToKeep) => Promise<void>;
