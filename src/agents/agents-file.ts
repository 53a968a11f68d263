/** `agents/agents.yaml`: the built-in agent types, and those that an administrator adds or puts in their place. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readYamlFile } from '../config/index';
import {
  AGENT_MODES,
  AGENT_TYPE,
  type AgentDefinition,
  CAPABILITY,
  DEFAULT_AGENT_LIMITS,
  DEFAULT_AGENT_MODE,
  MAX_AGENT_DESCRIPTION,
  MAX_AGENT_PROMPT,
  MAX_AGENT_ROUNDS,
  MAX_AGENT_TIMEOUT_MS,
  MAX_CAPABILITIES,
  MAX_FALLBACK_MODELS,
  MAX_MODEL_NAME,
  MAX_TASK_TOKENS,
  MAX_TOOLS,
  MIN_AGENT_TIMEOUT_MS,
  TOOL_NAME,
} from './agent';
import { isRouted, isUnknownStrategy, STRATEGY_RULE } from './agent-models';

export const AGENTS_FILE = 'agents/agents.yaml';

const modelName = z.string().trim().min(1).max(MAX_MODEL_NAME);

const limits = z.strictObject({
  maxTokens: z.int().min(1).max(MAX_TASK_TOKENS).default(DEFAULT_AGENT_LIMITS.maxTokens),
  maxRounds: z.int().min(1).max(MAX_AGENT_ROUNDS).default(DEFAULT_AGENT_LIMITS.maxRounds),
  timeoutMs: z
    .int()
    .min(MIN_AGENT_TIMEOUT_MS)
    .max(MAX_AGENT_TIMEOUT_MS)
    .default(DEFAULT_AGENT_LIMITS.timeoutMs),
});

const agent = z.strictObject({
  description: z.string().trim().min(1).max(MAX_AGENT_DESCRIPTION),
  capabilities: z
    .array(z.string().regex(CAPABILITY, 'must be lower-case letters, digits and hyphens'))
    .max(MAX_CAPABILITIES)
    .default([]),
  model: modelName.refine((name) => !isUnknownStrategy(name), STRATEGY_RULE),
  fallbackModels: z
    .array(modelName.refine((name) => !isRouted(name) && !isUnknownStrategy(name), 'must be a model'))
    .max(MAX_FALLBACK_MODELS)
    .default([]),
  prompt: z.string().min(1).max(MAX_AGENT_PROMPT),
  tools: z.array(z.string().regex(TOOL_NAME, 'must be the name of a tool')).max(MAX_TOOLS).default([]),
  mode: z.enum(AGENT_MODES).default(DEFAULT_AGENT_MODE),
  limits: limits.prefault({}),
});

/** Empty, with nothing but comments in it: a file that adds nothing. */
const agentsFile = z
  .preprocess((value) => value ?? {}, z.record(z.string(), agent))
  .superRefine((agents, context) => {
    for (const type of Object.keys(agents)) {
      if (AGENT_TYPE.test(type)) continue;
      const message = 'the type of an agent must be 1 to 64 lower-case letters, digits and hyphens';
      context.addIssue({ code: 'custom', path: [type], message });
    }
  });

/** An agent and the file that it was last written in. */
export interface WrittenAgent {
  readonly agent: AgentDefinition;
  readonly file: string;
}

/**
 * All agents of the folders, by type. An entry in the administrator's folder replaces the whole built-in one.
 * @param dirs the administrator's first, the built-in one last
 * @throws ConfigurationError naming the file, the place in it and the reason
 */
export function readAgents(dirs: readonly string[]): readonly WrittenAgent[] {
  const [builtIn, ...own] = dirs.toReversed();
  const folders = [builtIn, ...own.filter((dir) => existsSync(path.join(dir, AGENTS_FILE)))];
  const found = new Map<string, WrittenAgent>();
  for (const dir of folders) {
    if (dir === undefined) continue;
    const { file, value } = readYamlFile([dir], AGENTS_FILE, agentsFile);
    for (const [type, settings] of Object.entries(value)) {
      found.set(type, { file, agent: Object.freeze({ type, ...settings }) });
    }
  }
  return [...found.values()];
}
