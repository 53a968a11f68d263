import { Injectable } from '@nestjs/common';
import { CatalogService, kindOf, ModelNotFoundError } from '../catalog/index';
import type { RequestContext } from '../common/index';
import { ValidationError } from '../errors/index';
import { ToolRegistry } from '../tools/index';
import { isRouted, isUnknownStrategy, STRATEGY_RULE } from './agent-models';
import { AgentTemplates } from './agent-templates';
import type { AgentSettings } from './agents.repository';

/** What is known of a local server's models changes while this runs, so their names are taken as they are. */
const LOCAL = /^(local|ollama)\//i;

/** Refuses what would only fail once a task is carried out. */
@Injectable()
export class AgentSettingsCheck {
  constructor(
    private readonly templates: AgentTemplates,
    private readonly catalog: CatalogService,
    private readonly tools: ToolRegistry,
  ) {}

  /** To be awaited before the check: some tools are known only when their owner comes. */
  async prepare(ctx: RequestContext, tools: readonly string[] = []): Promise<void> {
    await this.tools.ready(ctx, tools);
  }

  /**
   * @param before what the agent was: tools that it had may be away by now
   * @throws PromptTemplateError; ValidationError for models or tools that nobody knows, and models that do not chat
   */
  check(ctx: RequestContext, settings: AgentSettings, before?: AgentSettings): void {
    this.templates.check(settings.prompt);
    this.checkModels(settings);
    for (const name of settings.tools) {
      if (before?.tools.includes(name) || this.tools.known(name, ctx)) continue;
      throw new ValidationError(`tools: there is no tool "${name}"; GET /api/v1/tools lists all`, {
        param: 'tools',
      });
    }
  }

  private checkModels({ model, fallbackModels }: AgentSettings): void {
    if (isUnknownStrategy(model)) throw new ValidationError(`model ${STRATEGY_RULE}`, { param: 'model' });
    if (!isRouted(model)) this.checkModel(model, 'model');
    for (const [index, name] of fallbackModels.entries()) {
      const param = `fallbackModels[${index}]`;
      if (isRouted(name) || isUnknownStrategy(name)) {
        throw new ValidationError(`${param} must be a model: only the first choice can be left to routing`, {
          param,
        });
      }
      this.checkModel(name, param);
    }
  }

  private checkModel(name: string, param: string): void {
    if (LOCAL.test(name)) return;
    try {
      const [preferred] = this.catalog.resolve(name).models;
      if (!preferred || kindOf(preferred) === 'chat') return;
      throw new ValidationError(`${param}: ${preferred.id} makes embeddings and does not chat`, { param });
    } catch (error) {
      if (!(error instanceof ModelNotFoundError)) throw error;
      throw new ValidationError(`${param}: ${error.message}`, {
        param,
        details: error.details,
        cause: error,
      });
    }
  }
}
