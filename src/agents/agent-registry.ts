import { Injectable } from '@nestjs/common';
import type { RequestContext } from '../common/index';
import type { Agent, AgentDefinition } from './agent';
import { AgentAvailability, type CallerAvailability } from './agent-availability';
import { AgentsRepository, type OwnAgent, settingsOf } from './agents.repository';
import { BuiltInAgents } from './built-in-agents';

/**
 * The agent types that a caller can give work to: the built-in ones and their own. An own type that an administrator later
 * makes a built-in one stays what its owner made it.
 */
@Injectable()
export class AgentRegistry {
  constructor(
    private readonly builtIn: BuiltInAgents,
    private readonly agents: AgentsRepository,
    private readonly availability: AgentAvailability,
  ) {}

  /** One query. */
  async find(ctx: RequestContext, type: string): Promise<Agent | undefined> {
    const own = await this.agents.findByType(ctx, type);
    if (own) return this.own(ctx, own);
    const builtIn = this.builtIn.find(type);
    return builtIn && asBuiltIn(builtIn, this.availability.to(ctx.principal));
  }

  /** Ordered by type. One query, however many there are. */
  async list(ctx: RequestContext): Promise<readonly Agent[]> {
    const availability = this.availability.to(ctx.principal);
    const all = new Map(
      this.builtIn.list().map((definition) => [definition.type, asBuiltIn(definition, availability)]),
    );
    for (const own of await this.agents.listOwn(ctx)) all.set(own.type, asOwn(own, availability));
    return [...all.values()].toSorted((left, right) => (left.type < right.type ? -1 : 1));
  }

  /** As its owner can use it, who need not be the caller. */
  own({ principal }: RequestContext, agent: OwnAgent): Agent {
    const caller = agent.userId === principal.userId ? principal : { userId: agent.userId };
    return asOwn(agent, this.availability.to(caller));
  }
}

function asBuiltIn(definition: AgentDefinition, availability: CallerAvailability): Agent {
  return { id: null, ...definition, ...availability.of(definition) };
}

function asOwn(agent: OwnAgent, availability: CallerAvailability): Agent {
  const { id, type, createdAt, updatedAt } = agent;
  return { id, type, ...settingsOf(agent), ...availability.of(agent), createdAt, updatedAt };
}
