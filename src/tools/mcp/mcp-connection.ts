import { z } from 'zod';
import { type JsonObject, within } from '../../common/index';
import { failureText, isAnswer, isForgotten, McpSetupError } from './failure';
import type { ListedTool } from './listed-tool';
import { type Client, newClient, toolListChanged, type Transport } from './mcp-sdk';
import { ToolList } from './tool-list';

/** All in milliseconds. */
export interface McpLimits {
  /** For each step of connecting. */
  readonly connectMs: number;
  /** Pause before the first new try; it doubles with each. */
  readonly retryMs: number;
  readonly maxRetryMs: number;
  /** Between a notice that its tools have changed and the listing. */
  readonly refreshMs: number;
}

export const MCP_LIMITS: McpLimits = { connectMs: 10_000, retryMs: 1000, maxRetryMs: 60_000, refreshMs: 250 };

const GOODBYE_MS = 1000;
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
  private list?: ToolList;
  private doubted?: Client;
  /** Calls that wait for their answers. */
  private readonly requests = new Set<Promise<unknown>>();
  /** Forgotten by the server, and open only until their calls have ended. */
  private readonly retired = new Set<Client>();
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
    this.list?.stop();
    const { client, transport } = this;
    this.client = undefined;
    await Promise.all([...this.retired].map((other) => other.close()));
    if (!client) return;
    await within(GOODBYE_MS, sayGoodbye(transport));
    await client.close();
  }

  private async send(call: McpCall): Promise<JsonObject> {
    const { client } = this;
    try {
      return await this.request(client, call);
    } catch (error) {
      if (!client || !isForgotten(error)) throw error;
    }
    this.forgotten(client);
    await this.connect();
    return await this.request(this.client, call);
  }

  private async request(client: Client | undefined, call: McpCall): Promise<JsonObject> {
    if (!client) throw new McpSetupError(this.unavailableReason);
    const { tool, args, timeoutMs: timeout, signal } = call;
    const params = { name: tool, arguments: args as Record<string, unknown> };
    const request = client.request({ method: 'tools/call', params }, result, { signal, timeout });
    this.requests.add(request);
    try {
      return (await request) as JsonObject;
    } catch (error) {
      if (!signal.aborted && !isAnswer(error) && !isForgotten(error)) this.doubt(client);
      throw error;
    } finally {
      this.requests.delete(request);
    }
  }

  private async tryOnce(): Promise<void> {
    const client = newClient();
    const list = this.listOf(client);
    try {
      const transport = this.options.dial();
      client.onclose = () => this.lost(client, 'it ended the connection');
      client.onerror = () => this.doubt(client);
      client.setNotificationHandler(toolListChanged(), () => list.changed());
      await client.connect(transport, { timeout: this.limits.connectMs });
      const tools = await list.read();
      if (this.isClosed) throw new McpSetupError('it is not wanted any more');
      this.list = list;
      this.connected(client, transport, tools);
    } catch (error) {
      list.stop();
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
    this.leave(reason);
    void client.close().catch(() => undefined);
  }

  /** Its other calls end by themselves: each is refused for the same reason, or was begun before and is still answered. */
  private forgotten(client: Client): void {
    if (this.client !== client) return;
    this.retired.add(client);
    void Promise.allSettled(this.requests)
      .then(() => client.close())
      .catch(() => undefined)
      .finally(() => this.retired.delete(client));
    this.leave('it has forgotten the connection');
  }

  private leave(reason: string): void {
    this.client = undefined;
    this.list?.stop();
    if (Date.now() - this.connectedAtMs > this.limits.maxRetryMs) this.failures = 0;
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
    if (this.client !== client || this.doubted === client) return;
    this.doubted = client;
    client
      .ping({ timeout: this.limits.connectMs })
      .catch((error: unknown) => {
        if (isForgotten(error)) this.forgotten(client);
        else if (!isAnswer(error)) this.lost(client, failureText(error));
      })
      .finally(() => {
        if (this.doubted === client) this.doubted = undefined;
      });
  }

  private listOf(client: Client): ToolList {
    const { connectMs: pageTimeoutMs, refreshMs } = this.limits;
    const onList = (tools: readonly ListedTool[]): void => {
      if (this.client !== client) return;
      this.tools = tools;
      this.options.onChange();
    };
    return new ToolList(client, { pageTimeoutMs, refreshMs, onList, onFailure: () => this.doubt(client) });
  }
}

/** Servers keep what they know of us until they are told. */
async function sayGoodbye(transport: Transport | undefined): Promise<void> {
  const { terminateSession } = (transport ?? {}) as { terminateSession?: () => Promise<void> };
  await terminateSession?.call(transport).catch(() => undefined);
}
