import type { JsonObject, JsonValue, RequestContext } from '../../common/index';
import type { Tool } from '../tool.port';
import { resultText } from './call-result';
import type { ListedTool } from './listed-tool';
import type { McpConnection } from './mcp-connection';

/** From the runner's limit to the library's, so that the runner's message is the one that is seen. */
const SPARE_MS = 1000;

export interface McpToolOptions {
  readonly name: string;
  readonly server: string;
  readonly ownerId?: string;
  readonly timeoutMs: number;
}

/** One tool of an MCP server. */
export class McpTool implements Tool {
  readonly name: string;
  readonly ownerId?: string;
  readonly timeoutMs: number;
  readonly description: string;
  readonly parameters: JsonObject;

  constructor(
    private readonly connection: McpConnection,
    private readonly listed: ListedTool,
    private readonly options: McpToolOptions,
  ) {
    ({ name: this.name, ownerId: this.ownerId, timeoutMs: this.timeoutMs } = options);
    ({ description: this.description, parameters: this.parameters } = listed);
  }

  unavailableReason(): string | undefined {
    const { unavailableReason } = this.connection;
    if (unavailableReason === undefined) return this.listed.problem;
    return awayReason(this.options.server, unavailableReason);
  }

  /** @throws Error in words for a model */
  async run(_ctx: RequestContext, args: JsonObject, signal: AbortSignal): Promise<JsonValue> {
    const timeoutMs = this.timeoutMs + SPARE_MS;
    return resultText(await this.connection.call({ tool: this.listed.name, args, timeoutMs, signal }));
  }
}

export function awayReason(server: string, reason: string): string {
  return `the MCP server "${server}" is away: ${reason}`;
}
