/** Agents as lists show them. */
import { Injectable } from '@nestjs/common';
import { Cursors } from '../auth/index';
import type { RequestContext } from '../common/index';
import type { Agent } from './agent';
import { AgentRegistry } from './agent-registry';
import { AgentDto, type AgentPageDto } from './dto/agent.response.dto';
import type { ListAgentsQueryDto } from './dto/list-agents.query.dto';

@Injectable()
export class AgentPages {
  constructor(
    private readonly registry: AgentRegistry,
    private readonly cursors: Cursors,
  ) {}

  /** There are at most some hundred, whose availability is known in memory only: they are filtered there. */
  async list(ctx: RequestContext, query: ListAgentsQueryDto): Promise<AgentPageDto> {
    const { limit, cursor } = query;
    const list = 'agents';
    const after = this.cursors.decode<string>(ctx, list, cursor);
    const rows = (await this.registry.list(ctx)).filter(
      (agent) => (after === undefined || agent.type > after) && isWanted(agent, query),
    );
    const page = this.cursors.page(ctx, list, { rows, limit, positionOf: ({ type }) => type });
    return { data: page.items.map((agent) => AgentDto.from(agent)), nextCursor: page.nextCursor };
  }
}

function isWanted(agent: Agent, { capability, mode, isAvailable }: ListAgentsQueryDto): boolean {
  if (capability !== undefined && !agent.capabilities.includes(capability)) return false;
  if (mode !== undefined && agent.mode !== mode) return false;
  return isAvailable === undefined || agent.isAvailable === isAvailable;
}
