import { z } from 'zod';
import { type JsonObject, type JsonValue, within } from '../../common/index';
import { failureText, isAnswer, isForgotten, McpSetupError } from './failure';
import { listedTool, type ListedTool } from './listed-tool';
import { type Client, newClient, toolListChanged, type Transport } from './mcp-sdk';

/** All in milliseconds. */
export interface McpLimits {
  /** For each step of connecting. */
  readonly connectMs: number;
  /** Pause before the first new try; it doubles with each. */
  readonly retryMs: number;
  readonly maxRetryMs: number;
  /** Between two listings of its tools because they have changed. */
  readonly refreshMs: number;
}

export const MCP_LIMITS: McpLimits = { connectMs: 10_000, retryMs: 1000, maxRetryMs: 60_000, refreshMs: 250 };

const MAX_TOOLS = 200;
const MAX_PAGES = 50;
const GOODBYE_MS = 1000;
const page = z.looseObject({ tools: z.array(z.unknown()), nextCursor: z.string().nullish() });
const result = z.looseObject({});

export interface McpCall {
  readonly tool: string;
  readonly args: JsonObject;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface McpConnectionOptions {
  /** Makes the way to the server. @throws McpSetupError, OutboundUrlError */
  readonly dial: () => Transport;
  /** The tools, or whether they can be called, are others now. */
  readonly onChange: () => void;
  readonly limits?: McpLimits;
}

/**
 * The connection to one MCP server. Connects when it is told to, and from then on again and again with growing pauses
 * until it is closed. What the server listed last stays known while it is away.
 */
export class McpConnection {
  tools: readonly ListedTool[] = [];
  /** Why no tool can be called now; undefined: they can. */
  unavailableReason?: string = 'it has not answered yet';
  private readonly limits: McpLimits;
  private transport?: Transport;
  private client?: Client;
  private attempt?: Promise<void>;
  private retry?: NodeJS.Timeout;
  private refresh?: NodeJS.Timeout;
  private check?: Promise<void>;
  private failures = 0;
  private connectedAtMs = 0;
  private isClosed = false;
  private openCalls = 0;
  private usedAtMs = Date.now();

  constructor(private readonly options: McpConnectionOptions) {
    this.limits = options.limits ?? MCP_LIMITS;
  }

  /** When it was used last; now while a call is under way. Milliseconds since the epoch. */
  get lastUsedMs(): number {
    return this.openCalls > 0 ? Date.now() : this.usedAtMs;
  }

  /** Resolves when the attempt is over. Never rejects. */
  connect(): Promise<void> {
    if (this.isClosed || this.client) return Promise.resolve();
    clearTimeout(this.retry);
    this.attempt ??= this.tryOnce().finally(() => (this.attempt = undefined));
    return this.attempt;
  }

  /** Resolves when no attempt is under way, or when the time is over. */
  async settled(limitMs: number): Promise<void> {
    if (this.attempt) await within(limitMs, this.attempt);
  }

  /** @throws Error in words for a model; the signal's reason */
  async call(call: McpCall): Promise<JsonObject> {
    this.openCalls += 1;
    try {
      return await this.send(call);
    } catch (error) {
      call.signal.throwIfAborted();
      if (isAnswer(error)) throw error;
      throw new Error(`The server of the tool failed: ${failureText(error)}`, { cause: error });
    } finally {
      this.openCalls -= 1;
      this.usedAtMs = Date.now();
    }
  }

  /** For good. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.retry);
    clearTimeout(this.refresh);
    const { client, transport } = this;
    this.client = undefined;
    if (!client) return;
    await within(GOODBYE_MS, sayGoodbye(transport));
    await client.close();
  }

  private async send(call: McpCall): Promise<JsonObject> {
    try {
      return await this.request(call);
    } catch (error) {
      if (!isForgotten(error)) throw error;
    }
    if (this.client) this.lost(this.client, 'it has forgotten the connection');
    await this.connect();
    return await this.request(call);
  }

  private async request({ tool, args, timeoutMs, signal }: McpCall): Promise<JsonObject> {
    const { client } = this;
    if (!client) throw new McpSetupError(this.unavailableReason);
    try {
      const params = { name: tool, arguments: args as Record<string, unknown> };
      const answer = await client.request({ method: 'tools/call', params }, result, {
        signal,
        timeout: timeoutMs,
      });
      return answer as JsonObject;
    } catch (error) {
      if (!signal.aborted && !isAnswer(error) && !isForgotten(error)) this.doubt(client);
      throw error;
    }
  }

  private async tryOnce(): Promise<void> {
    const client = newClient();
    try {
      const transport = this.options.dial();
      client.onclose = () => this.lost(client, 'it ended the connection');
      client.onerror = () => this.doubt(client);
      client.setNotificationHandler(toolListChanged(), () => this.refreshSoon(client));
      await client.connect(transport, { timeout: this.limits.connectMs });
      const tools = await this.listTools(client);
      if (this.isClosed) await client.close();
      else this.connected(client, transport, tools);
    } catch (error) {
      await client.close().catch(() => undefined);
      this.away(failureText(error));
    }
  }

  private connected(client: Client, transport: Transport, tools: readonly ListedTool[]): void {
    this.client = client;
    this.transport = transport;
    this.connectedAtMs = Date.now();
    this.unavailableReason = undefined;
    this.tools = tools;
    this.options.onChange();
  }

  private lost(client: Client, reason: string): void {
    if (this.client !== client) return;
    this.client = undefined;
    clearTimeout(this.refresh);
    this.refresh = undefined;
    if (Date.now() - this.connectedAtMs > this.limits.maxRetryMs) this.failures = 0;
    void client.close().catch(() => undefined);
    this.away(reason);
  }

  private away(reason: string): void {
    if (this.isClosed) return;
    this.unavailableReason = reason;
    const { retryMs, maxRetryMs } = this.limits;
    const pauseMs = Math.min(maxRetryMs, retryMs * 2 ** this.failures);
    this.failures = Math.min(this.failures + 1, 20);
    this.retry = setTimeout(() => void this.connect(), pauseMs).unref();
    this.options.onChange();
  }

  /** Something went wrong on the way: is the server still there? */
  private doubt(client: Client): void {
    if (this.client !== client) return;
    this.check ??= client
      .ping({ timeout: this.limits.connectMs })
      .then(() => undefined)
      .catch((error: unknown) => {
        if (!isAnswer(error)) this.lost(client, failureText(error));
      })
      .finally(() => (this.check = undefined));
  }

  /** Many notices make one listing. */
  private refreshSoon(client: Client): void {
    this.refresh ??= setTimeout(() => {
      this.listTools(client)
        .then((tools) => {
          if (this.client !== client) return;
          this.tools = tools;
          this.options.onChange();
        })
        .catch(() => this.doubt(client))
        .finally(() => (this.refresh = undefined));
    }, this.limits.refreshMs).unref();
  }

  private async listTools(client: Client): Promise<readonly ListedTool[]> {
    const found = new Map<string, ListedTool>();
    let cursor: string | undefined;
    for (let pages = 0; pages < MAX_PAGES && found.size < MAX_TOOLS; pages += 1) {
      const params = cursor === undefined ? {} : { cursor };
      const list = await client.request({ method: 'tools/list', params }, page, {
        timeout: this.limits.connectMs,
      });
      for (const one of list.tools) {
        const tool = listedTool(one as JsonValue);
        if (tool && found.size < MAX_TOOLS && !found.has(tool.name)) found.set(tool.name, tool);
      }
      if (!list.nextCursor) break;
      cursor = list.nextCursor;
    }
    return [...found.values()];
  }
}

/** Servers keep what they know of us until they are told. */
async function sayGoodbye(transport: Transport | undefined): Promise<void> {
  const { terminateSession } = (transport ?? {}) as { terminateSession?: () => Promise<void> };
  await terminateSession?.call(transport).catch(() => undefined);
}
