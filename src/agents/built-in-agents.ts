import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/index';
import { ConfigurationError } from '../errors/index';
import type { AgentDefinition } from './agent';
import { AgentTemplates } from './agent-templates';
import { PromptTemplateError } from './agents.errors';
import { readAgents, type WrittenAgent } from './agents-file';

/** The agents that stand in the configuration. Read when it is constructed, so that a wrong file stops the boot. */
@Injectable()
export class BuiltInAgents {
  private readonly byType: ReadonlyMap<string, AgentDefinition>;

  constructor(config: AppConfig, templates: AgentTemplates) {
    const written = readAgents(config.configDirs);
    for (const entry of written) checkPrompt(entry, templates);
    this.byType = new Map(written.map(({ agent }) => [agent.type, agent]));
  }

  find(type: string): AgentDefinition | undefined {
    return this.byType.get(type);
  }

  list(): readonly AgentDefinition[] {
    return [...this.byType.values()];
  }
}

function checkPrompt({ agent, file }: WrittenAgent, templates: AgentTemplates): void {
  try {
    templates.check(agent.prompt, Infinity);
  } catch (error) {
    if (!(error instanceof PromptTemplateError)) throw error;
    throw new ConfigurationError(`${file}: ${agent.type}.${error.message}`, { cause: error });
  }
}
