import type { JsonObject } from '../common/index';

/** How the calls of an agent are carried out. `hybrid`: directly, then by the provider's script. `interactive`: by a person. */
export const AGENT_MODES = ['direct', 'script', 'interactive', 'hybrid'] as const;
export type AgentMode = (typeof AGENT_MODES)[number];

/** What an agent type is. Frozen. */
export interface AgentDefinition {
  /** Such as `coder`: see `AGENT_TYPE`. */
  readonly type: string;
  readonly description: string;
  /** What it is good at, such as `code` or `summaries`. */
  readonly capabilities: readonly string[];
  /** Catalog id, bare model name or a strategy such as `auto:best`. */
  readonly model: string;
  /** Models to try after it, in order. No strategies. */
  readonly fallbackModels: readonly string[];
  /** LiquidJS template of the system message; see `AgentTemplates`. */
  readonly prompt: string;
  /** Names of server-side tools. */
  readonly tools: readonly string[];
  readonly mode: AgentMode;
  readonly limits: AgentLimits;
}

export interface AgentLimits {
  /** Of one round; 1 to 32,768. A task may ask for less. */
  readonly maxTokens: number;
  /** Rounds of tool calls in one task. */
  readonly maxRounds: number;
  readonly timeoutMs: number;
}

/** An agent type as somebody sees it. */
export interface Agent extends AgentDefinition {
  /** UUID; null: built in. */
  readonly id: string | null;
  /** Is there anybody who can answer: a model with credentials, a script, a person? */
  readonly isAvailable: boolean;
  /** Why not, and what would help. */
  readonly unavailableReason?: string;
  /** Of a built-in one undefined. */
  readonly createdAt?: Date;
  readonly updatedAt?: Date;
}

/** One piece of work for an agent, as REST, plans and runs describe it. */
export interface AgentTask {
  /** 1 to 500 characters. */
  readonly title: string;
  /** Up to 10,000 characters. */
  readonly description: string;
  readonly deliverables: readonly string[];
  readonly successCriteria: readonly string[];
  /** Agent type. */
  readonly agent: string;
  /** Wins over the agent's own. */
  readonly model?: string;
  readonly metadata: JsonObject;
  /** 1 to 32,768. */
  readonly maxTokens: number;
  /** 0 to 100; higher ones first. */
  readonly priority: number;
}

/** 1 to 64 lower-case letters, digits and hyphens. No underscore: that is how an id (`agt_…`) differs from a type. */
export const AGENT_TYPE = /^[a-z0-9][a-z0-9-]{0,63}$/;
/** Of the same letters. */
export const CAPABILITY = /^[a-z0-9][a-z0-9-]{0,63}$/;
/** What every provider accepts as a function's name. */
export const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/;

export const MAX_AGENT_DESCRIPTION = 500;
export const MAX_AGENT_PROMPT = 20_000;
export const MAX_CAPABILITIES = 50;
export const MAX_TOOLS = 50;
export const MAX_FALLBACK_MODELS = 5;
export const MAX_MODEL_NAME = 200;
export const MAX_AGENT_ROUNDS = 100;
export const MIN_AGENT_TIMEOUT_MS = 1000;
export const MAX_AGENT_TIMEOUT_MS = 86_400_000;
export const DEFAULT_AGENT_MODE: AgentMode = 'hybrid';

export const MAX_TASK_TITLE = 500;
export const MAX_TASK_DESCRIPTION = 10_000;
/** Of deliverables or success criteria. */
export const MAX_TASK_ITEMS = 50;
export const MAX_TASK_ITEM = 1000;
/** Characters of the JSON text. */
export const MAX_TASK_METADATA = 10_000;
export const MAX_TASK_TOKENS = 32_768;
export const MAX_TASK_PRIORITY = 100;
export const DEFAULT_TASK_TOKENS = 4096;
export const DEFAULT_TASK_PRIORITY = 50;

export const DEFAULT_AGENT_LIMITS: AgentLimits = Object.freeze({
  maxTokens: 8192,
  maxRounds: 10,
  timeoutMs: 600_000,
});

/** For agents that were given none. */
export const DEFAULT_AGENT_PROMPT = `You are the agent "{{ agent.type }}": {{ agent.description }}
{% if project %}You work on one task of the project "{{ project.name }}". {% endif %}Do the task completely and answer with its result only.`;

/** The result of a task that this one depends on, as far as it fits. */
export interface EarlierResult {
  readonly title: string;
  readonly output: string;
}

/** What a task is part of. */
export interface TaskSurroundings {
  readonly project?: { readonly name: string; readonly requirements: string };
  readonly earlier: readonly EarlierResult[];
}
