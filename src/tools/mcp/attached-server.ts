import { Logger } from '@nestjs/common';
import { unavailableTool } from '../tool.port';
import type { ToolRegistry } from '../tool-registry';
import type { ListedTool } from './listed-tool';
import { McpConnection, type McpLimits } from './mcp-connection';
import type { Transport } from './mcp-sdk';
import { awayReason, McpTool } from './mcp.tool';
import { mcpToolName, serverToolName } from './tool-names';

export interface AttachedServerOptions {
  readonly name: string;
  /** UUID; undefined: everybody's. */
  readonly ownerId?: string;
  readonly timeoutMs: number;
  /** The only tools that are taken over; undefined: all. */
  readonly allowed?: readonly string[];
  /** @throws McpSetupError, OutboundUrlError */
  readonly dial: () => Transport;
  readonly limits?: McpLimits;
}

/** An MCP server whose tools stand in the registry, as it lists them, for as long as it is attached. */
export class AttachedServer {
  readonly connection: McpConnection;
  private readonly logger = new Logger(AttachedServer.name);
  /** What was listed, by the name that it has in the registry. */
  private readonly shown = new Map<string, ListedTool | undefined>();
  private isDetached = false;
  private lastReason?: string;

  constructor(
    private readonly registry: ToolRegistry,
    private readonly options: AttachedServerOptions,
  ) {
    const { dial, limits } = options;
    this.connection = new McpConnection({ dial, limits, onChange: () => this.changed() });
    this.changed();
  }

  /** Names in the registry, of those that can be called. */
  get toolNames(): readonly string[] {
    const owner = { principal: { userId: this.options.ownerId ?? '', role: 'viewer' } } as const;
    return [...this.shown.keys()].filter((name) => this.registry.find(name, owner)).toSorted();
  }

  async detach(): Promise<void> {
    this.isDetached = true;
    for (const name of this.shown.keys()) this.registry.unregister(name, this.options.ownerId);
    this.shown.clear();
    await this.connection.close();
  }

  private changed(): void {
    if (this.isDetached) return;
    const wanted = this.wanted();
    for (const [name, tool] of this.shown) {
      if (!wanted.has(name) || !isSame(tool, wanted.get(name))) this.hide(name);
    }
    for (const [name, tool] of wanted) if (!this.shown.has(name)) this.show(name, tool);
    this.tellReason();
  }

  /** While nothing is known of its tools, one that cannot be called stands for them. */
  private wanted(): ReadonlyMap<string, ListedTool | undefined> {
    const { name, allowed } = this.options;
    const tools = this.connection.tools.filter((tool) => allowed?.includes(tool.name) ?? true);
    if (tools.length === 0 && this.connection.unavailableReason !== undefined) {
      return new Map([[serverToolName(name), undefined]]);
    }
    return new Map(tools.toReversed().map((tool) => [mcpToolName(name, tool.name), tool]));
  }

  private show(name: string, tool: ListedTool | undefined): void {
    const { name: server, ownerId, timeoutMs } = this.options;
    try {
      this.registry.register(
        tool
          ? new McpTool(this.connection, tool, { name, server, ownerId, timeoutMs })
          : this.placeholder(name),
      );
      this.shown.set(name, tool);
    } catch (error) {
      this.logger.warn(`A tool of the MCP server ${server} is left out: ${(error as Error).message}`);
    }
  }

  private hide(name: string): void {
    this.registry.unregister(name, this.options.ownerId);
    this.shown.delete(name);
  }

  private placeholder(name: string): ReturnType<typeof unavailableTool> {
    const { name: server, ownerId } = this.options;
    const reason = (): string => awayReason(server, this.connection.unavailableReason ?? 'it has no tools');
    const description = `The tools of the MCP server "${server}", which has not told them yet.`;
    return { ...unavailableTool({ name, description, ownerId }, ''), unavailableReason: reason };
  }

  /** Owners are told by REST; the administrator by the log. */
  private tellReason(): void {
    const { name, ownerId } = this.options;
    const { unavailableReason } = this.connection;
    if (unavailableReason === this.lastReason || ownerId !== undefined) return;
    const isStart = this.lastReason === undefined && this.connection.tools.length === 0;
    this.lastReason = unavailableReason;
    if (unavailableReason === undefined)
      this.logger.log(`The MCP server ${name} has ${this.shown.size} tools`);
    else if (!isStart) this.logger.warn(`The MCP server ${name} is away: ${unavailableReason}`);
  }
}

function isSame(left: ListedTool | undefined, right: ListedTool | undefined): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
