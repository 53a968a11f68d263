import { z } from 'zod';
import type { JsonValue } from '../../common/index';
import { charsOf, listedTool, type ListedTool, withoutRoom } from './listed-tool';
import type { Client } from './mcp-sdk';

const MAX_TOOLS = 200;
const MAX_PAGES = 50;
/** Of all tools of a server: every process keeps them. */
const MAX_CHARS = 1024 * 1024;
const page = z.looseObject({ tools: z.array(z.unknown()), nextCursor: z.string().nullish() });

export interface ToolListOptions {
  /** For each page. */
  readonly pageTimeoutMs: number;
  /** Between a notice that the tools have changed and the listing. */
  readonly refreshMs: number;
  readonly onList: (tools: readonly ListedTool[]) => void;
  readonly onFailure: () => void;
}

/** What a connected server lists, one listing after the other: an older one never comes after a newer. */
export class ToolList {
  private timer?: NodeJS.Timeout;
  private isListing = false;
  private isOutdated = false;
  private isStopped = false;

  constructor(
    private readonly client: Client,
    private readonly options: ToolListOptions,
  ) {}

  /** Many notices make one listing; one that comes during a listing makes another after it. */
  changed(): void {
    if (this.isListing) this.isOutdated = true;
    else if (!this.isStopped) {
      this.timer ??= setTimeout(() => void this.refresh(), this.options.refreshMs).unref();
    }
  }

  /** Not to be called twice at once. @throws what the client throws */
  async read(): Promise<readonly ListedTool[]> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.isListing = true;
    this.isOutdated = false;
    try {
      return await listTools(this.client, this.options.pageTimeoutMs);
    } finally {
      this.isListing = false;
      if (this.isOutdated) this.changed();
    }
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  private async refresh(): Promise<void> {
    try {
      this.options.onList(await this.read());
    } catch {
      this.options.onFailure();
    }
  }
}

async function listTools(client: Client, timeout: number): Promise<readonly ListedTool[]> {
  const found = new Map<string, ListedTool>();
  let room = MAX_CHARS;
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_PAGES && found.size < MAX_TOOLS; pages += 1) {
    const params = cursor === undefined ? {} : { cursor };
    const list = await client.request({ method: 'tools/list', params }, page, { timeout });
    for (const one of list.tools) {
      const tool = listedTool(one as JsonValue);
      if (!tool || found.size >= MAX_TOOLS || found.has(tool.name)) continue;
      const chars = charsOf(tool);
      found.set(tool.name, chars > room ? withoutRoom(tool, MAX_CHARS) : tool);
      if (chars <= room) room -= chars;
    }
    if (!list.nextCursor) break;
    cursor = list.nextCursor;
  }
  return [...found.values()];
}
