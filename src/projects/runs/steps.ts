/** What the rounds of a task need of whoever carries them out, and what they keep. */
import type { ChatMessage, JsonObject, JsonValue, RequestContext } from '../../common/index';
import type { Agent, AgentTask } from '../../agents/index';
import type { Failure } from './failure';

/** One answer of a model. */
export type KeptRound = {
  /** As it goes on in the conversation. */
  readonly message: ChatMessage;
  readonly text: string;
  readonly finishReason: string | null;
  /** Catalog id. */
  readonly model: string;
  /** Pico-USD as a decimal; null: unknown. */
  readonly costPicoUsd: string | null;
  readonly isCutByBudget: boolean;
};

/** The result of one tool call. */
export type KeptToolResult = {
  readonly name: string;
  readonly ok: boolean;
  readonly content: string;
};

export interface KeptStep {
  readonly step: string;
  /** Of the round. */
  readonly number: number;
  /** UUID of the metered request. */
  readonly requestId?: string;
  readonly result: JsonObject;
}

export const roundStep = (round: number): string => `round-${round}`;
export const toolStep = (round: number, index: number): string => `tool-${round}-${index}`;

/** What a task is worked on with. `kept` grows with every step. */
export interface Material {
  readonly agent: Agent;
  readonly task: AgentTask;
  /** System and user message. */
  readonly messages: readonly ChatMessage[];
  readonly kept: Map<string, JsonObject>;
}

/** Why the next round is not begun. `paused`: its run is; `taken`: the task is somebody else's by now. */
export type Obstacle = 'paused' | 'taken';

/** Carries out the steps of one task: durably for projects, in memory for a single request. */
export interface StepHost {
  readonly limits: { readonly maxRounds: number; readonly deadlineAt: number };
  step<T extends JsonValue>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Inside a step. */
  material(signal: AbortSignal): Promise<Material>;
  /** Inside a step: whose call it is. */
  context(step: string, signal: AbortSignal): Promise<RequestContext>;
  obstacle(signal: AbortSignal): Promise<Obstacle | undefined>;
  keep(step: KeptStep): Promise<void>;
  /** Inside a step: what a failure means. @throws it, where it is none of the task */
  judge(error: unknown, signal: AbortSignal): Promise<Failure>;
}
