import { Injectable } from '@nestjs/common';
import { noSuch, ownedId } from '../../auth/index';
import { newId, type RequestContext, type SqlExecutor, toApiId } from '../../common/index';
import { AuditSink, ConflictError, ValidationError } from '../../errors/index';
import { ConfiguredServers } from './configured-servers.service';
import { McpDialer } from './mcp-dialer';
import { MCP_SERVER, type McpServer } from './mcp-server';
import { type McpServerChange, McpServersRepository, type NewMcpServer } from './mcp-servers.repository';
import { OwnerServers } from './owner-servers.service';

export const MAX_MCP_SERVERS_PER_USER = 20;

/**
 * MCP servers of the caller. Administrators see that there are any and can delete them; only the owner sets or changes
 * one. Every change is in the audit log, and holds in this process when it is answered.
 */
@Injectable()
export class McpServersService {
  constructor(
    private readonly servers: McpServersRepository,
    private readonly owners: OwnerServers,
    private readonly configured: ConfiguredServers,
    private readonly dialer: McpDialer,
    private readonly audit: AuditSink,
  ) {}

  /** @throws UrlNotAllowedError; ConflictError when the name is taken or there are too many */
  async create(ctx: RequestContext, wanted: Omit<NewMcpServer, 'id'>): Promise<McpServer> {
    const url = this.dialer.checkedUrl(wanted.url);
    const made = await this.servers.transaction(async (executor) => {
      const own = await this.servers.lockOwn(ctx, executor);
      if (own.length >= MAX_MCP_SERVERS_PER_USER) {
        throw new ConflictError(
          `There are ${MAX_MCP_SERVERS_PER_USER} MCP servers already: delete one first.`,
        );
      }
      this.refuseTaken(wanted.name, own);
      const server = await this.servers.add(ctx, { ...wanted, url, id: newId() }, executor);
      await this.record(ctx, { action: 'mcp_server.create', after: server }, executor);
      return server;
    });
    await this.owners.changed(made.userId);
    return made;
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, apiId: string): Promise<McpServer> {
    return (await this.servers.find(ctx, ownedId(MCP_SERVER, apiId))) ?? missing();
  }

  /** @throws NotFoundError, UrlNotAllowedError, ValidationError, ConflictError */
  async update(ctx: RequestContext, apiId: string, wanted: McpServerChange): Promise<McpServer> {
    const id = ownedId(MCP_SERVER, apiId);
    const url = wanted.url === undefined ? undefined : this.dialer.checkedUrl(wanted.url);
    const changed = await this.servers.transaction(async (executor) => {
      const own = await this.servers.lockOwn(ctx, executor);
      const before = own.find((server) => server.id === id) ?? missing();
      const change = { ...wanted, url };
      this.refuseTaken(change.name, own, id);
      refuseStrayHeaders(before, change);
      const after = await this.servers.change(before, change, executor);
      await this.record(ctx, { action: 'mcp_server.update', before, after }, executor);
      return after;
    });
    await this.owners.changed(changed.userId);
    return changed;
  }

  /** @throws NotFoundError */
  async remove(ctx: RequestContext, apiId: string): Promise<void> {
    const id = ownedId(MCP_SERVER, apiId);
    const gone = await this.servers.transaction(async (executor) => {
      const before = (await this.servers.find(ctx, id, executor)) ?? missing();
      await this.servers.remove(ctx, id, executor);
      await this.record(ctx, { action: 'mcp_server.delete', before }, executor);
      return before;
    });
    await this.owners.changed(gone.userId);
  }

  private refuseTaken(name: string | undefined, own: readonly McpServer[], id?: string): void {
    if (name === undefined) return;
    const isOwn = own.some((server) => server.name === name && server.id !== id);
    if (!isOwn && !this.configured.has(name)) return;
    const whose = isOwn ? 'You have' : 'The administrator has set up';
    throw new ConflictError(`${whose} an MCP server named "${name}" already: choose another name.`, {
      param: 'name',
    });
  }

  private async record(
    ctx: RequestContext,
    act: { action: string; before?: McpServer; after?: McpServer },
    executor: SqlExecutor,
  ): Promise<void> {
    const { action, before, after } = act;
    const of = after ?? before;
    const entry = {
      action,
      resourceId: of ? toApiId('mcp', of.id) : null,
      before: before && audited(before),
      after: after && audited(after),
    };
    await this.audit.record(ctx, entry, executor);
  }
}

/** Whoever may change the URL could else have stored headers sent to a host of their own. */
function refuseStrayHeaders(before: McpServer, { url, headers }: McpServerChange): void {
  if (headers !== undefined || url === undefined || before.headerNames.length === 0) return;
  if (new URL(url).origin === new URL(before.url).origin) return;
  throw new ValidationError('headers must be sent again with the URL of another host; {} for none', {
    param: 'headers',
  });
}

/** Of the URL only where it leads: its path or query may be a secret. */
function audited({ url, userId, name, headerNames }: McpServer): Record<string, unknown> {
  return { origin: new URL(url).origin, userId: toApiId('usr', userId), name, headerNames };
}

function missing(): never {
  throw noSuch(MCP_SERVER);
}
