import type { AgentDefinition, AgentTask } from '../../../src/agents/index';

export function anAgent(overrides: Partial<AgentDefinition> = {}): AgentDefinition {
  return {
    type: 'translator',
    description: 'Translates texts.',
    capabilities: ['translation'],
    model: 'auto',
    fallbackModels: [],
    prompt: 'You translate.',
    tools: [],
    mode: 'hybrid',
    limits: { maxTokens: 8192, maxRounds: 10, timeoutMs: 600_000 },
    ...overrides,
  };
}

export function aTask(overrides: Partial<AgentTask> = {}): AgentTask {
  return {
    title: 'Translate the page',
    description: '',
    deliverables: [],
    successCriteria: [],
    agent: 'translator',
    metadata: {},
    maxTokens: 4096,
    priority: 50,
    ...overrides,
  };
}
