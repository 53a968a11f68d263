import { Injectable } from '@nestjs/common';
import { noSuch, type OwnedResource } from '../auth/index';
import { fromApiId, newId, type RequestContext, type SqlExecutor, toApiId } from '../common/index';
import { AuditSink, ConflictError } from '../errors/index';
import type { Agent, AgentLimits } from './agent';
import { AgentRegistry } from './agent-registry';
import { AgentSettingsCheck } from './agent-settings.check';
import { isBuiltIn } from './agents.errors';
import { AgentsRepository, type AgentSettings, type OwnAgent, settingsOf } from './agents.repository';
import { BuiltInAgents } from './built-in-agents';

export const MAX_AGENTS_PER_USER = 100;
const AGENT: Pick<OwnedResource, 'prefix' | 'name'> = { prefix: 'agt', name: 'agent' };

/** What is left out stays as it is. */
export type AgentChange = Partial<Omit<AgentSettings, 'limits'>> & { readonly limits?: Partial<AgentLimits> };

/**
 * Agent types of the caller, who names them by type or by id (`agt_…`); administrators reach those of all by id. Every
 * change is in the audit log.
 */
@Injectable()
export class AgentsService {
  constructor(
    private readonly builtIn: BuiltInAgents,
    private readonly agents: AgentsRepository,
    private readonly registry: AgentRegistry,
    private readonly settings: AgentSettingsCheck,
    private readonly audit: AuditSink,
  ) {}

  /** @throws ValidationError; ConflictError when there is one of this type, or there are too many */
  async create(ctx: RequestContext, type: string, settings: AgentSettings): Promise<Agent> {
    await this.settings.prepare(ctx, settings.tools);
    this.settings.check(ctx, settings);
    if (this.builtIn.find(type)) throw isBuiltIn(type);
    const made = await this.agents.transaction(async (executor) => {
      const types = await this.agents.lockOwnTypes(ctx, executor);
      if (types.includes(type)) {
        throw new ConflictError(`You have an agent "${type}" already: change that one.`, { param: 'type' });
      }
      if (types.length >= MAX_AGENTS_PER_USER) {
        throw new ConflictError(`There are ${MAX_AGENTS_PER_USER} agents already: delete one first.`);
      }
      const agent = await this.agents.add(ctx, { id: newId(), type, settings }, executor);
      await this.record(ctx, { action: 'agent.create', after: agent }, executor);
      return agent;
    });
    return this.registry.own(ctx, made);
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, typeOrId: string): Promise<Agent> {
    const own = await this.find(ctx, typeOrId);
    if (own) return this.registry.own(ctx, own);
    return (await this.registry.find(ctx, typeOrId)) ?? missing();
  }

  /** Holds for tasks that begin from now on. @throws NotFoundError, ValidationError; ConflictError for a built-in one */
  async update(ctx: RequestContext, typeOrId: string, change: AgentChange): Promise<Agent> {
    await this.settings.prepare(ctx, change.tools);
    const changed = await this.locked(ctx, typeOrId, async (before, executor) => {
      const settings = withChange(before, change);
      this.settings.check(ctx, settings, before);
      const after = await this.agents.change(ctx, before.id, settings, executor);
      await this.record(ctx, { action: 'agent.update', before, after }, executor);
      return after;
    });
    return this.registry.own(ctx, changed);
  }

  /** @throws NotFoundError; ConflictError for a built-in one */
  async remove(ctx: RequestContext, typeOrId: string): Promise<void> {
    await this.locked(ctx, typeOrId, async (before, executor) => {
      await this.agents.remove(ctx, before.id, executor);
      await this.record(ctx, { action: 'agent.delete', before }, executor);
    });
  }

  private async find(
    ctx: RequestContext,
    typeOrId: string,
    executor?: SqlExecutor,
  ): Promise<OwnAgent | undefined> {
    const id = fromApiId(AGENT.prefix, typeOrId);
    if (id !== undefined) return await this.agents.findById(ctx, id, executor);
    return await this.agents.findByType(ctx, typeOrId, executor);
  }

  private async locked<T>(
    ctx: RequestContext,
    typeOrId: string,
    work: (agent: OwnAgent, executor: SqlExecutor) => Promise<T>,
  ): Promise<T> {
    return await this.agents.transaction(async (executor) => {
      const agent = await this.find(ctx, typeOrId, executor);
      if (agent) return await work(agent, executor);
      throw this.builtIn.find(typeOrId) ? isBuiltIn(typeOrId) : noSuch(AGENT, 'type');
    });
  }

  private async record(
    ctx: RequestContext,
    act: { action: string; before?: OwnAgent; after?: OwnAgent },
    executor: SqlExecutor,
  ): Promise<void> {
    const { action, before, after } = act;
    const of = after ?? before;
    const resourceId = of ? toApiId('agt', of.id) : null;
    const entry = { action, resourceId, before: before && audited(before), after: after && audited(after) };
    await this.audit.record(ctx, entry, executor);
  }
}

function withChange(before: OwnAgent, change: AgentChange): AgentSettings {
  return { ...settingsOf(before), ...change, limits: { ...before.limits, ...change.limits } };
}

/** Prompts stand in no log. */
function audited(agent: OwnAgent): Record<string, unknown> {
  const { userId, type, model, fallbackModels, capabilities, tools, mode, limits } = agent;
  return {
    userId: toApiId('usr', userId),
    type,
    model,
    fallbackModels,
    capabilities,
    tools,
    mode,
    limits,
  };
}

function missing(): never {
  throw noSuch(AGENT, 'type');
}
