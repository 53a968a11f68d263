/** MCP servers as REST shows them. */
import { Injectable } from '@nestjs/common';
import { Cursors } from '../../auth/index';
import type { PageQueryDto, RequestContext } from '../../common/index';
import { McpServerDto, type McpServerPageDto } from './dto/mcp-server.response.dto';
import type { McpServer } from './mcp-server';
import { McpServersRepository } from './mcp-servers.repository';
import { OwnerServers } from './owner-servers.service';

const LIST = 'mcp-servers';

@Injectable()
export class McpServerPages {
  constructor(
    private readonly servers: McpServersRepository,
    private readonly owners: OwnerServers,
    private readonly cursors: Cursors,
  ) {}

  /** Connects nothing. */
  async list(ctx: RequestContext, { limit, cursor }: PageQueryDto): Promise<McpServerPageDto> {
    const beforeId = this.cursors.decode<string>(ctx, LIST, cursor);
    const rows = await this.servers.list(ctx, limit + 1, beforeId);
    const page = this.cursors.page(ctx, LIST, { rows, limit, positionOf: ({ id }) => id });
    return { data: page.items.map((server) => this.shown(ctx, server)), nextCursor: page.nextCursor };
  }

  /** Connected, as far as it is the caller's own and answers soon. */
  async tried(ctx: RequestContext, server: McpServer): Promise<McpServerDto> {
    if (server.userId === ctx.principal.userId) await this.owners.ready(ctx);
    return this.shown(ctx, server);
  }

  shown(ctx: RequestContext, server: McpServer): McpServerDto {
    return McpServerDto.from(ctx, server, this.owners.stateOf(server));
  }
}
