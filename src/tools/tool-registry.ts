import { Injectable, Logger } from '@nestjs/common';
import type { RequestContext } from '../common/index';
import { ConfigurationError } from '../errors/index';
import { KnownTool } from './known-tool';
import { type Tool, type ToolState, unavailableTool } from './tool.port';

/** What every provider accepts as a function's name. */
const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/;
const SET_UP_FAILED = 'it could not be set up; the log of the service says why';

/** Whose tools are meant: everybody's, and with a caller also the caller's own. */
export type Caller = Pick<RequestContext, 'principal'>;

/** Where tools come from that are looked for only when somebody may want them. */
export interface ToolSource {
  /**
   * Resolves when the caller's tools are registered, or after a short while. Never rejects.
   * @param names the only ones that are wanted
   */
  ready(caller: Caller, names?: readonly string[]): Promise<void>;
}

/**
 * The server-side tools of this process, by name. They come and go at run time; one that is broken is listed as not
 * available and stops no other.
 */
@Injectable()
export class ToolRegistry {
  private readonly logger = new Logger(ToolRegistry.name);
  readonly #tools = new Map<string, KnownTool>();
  readonly #sources: ToolSource[] = [];

  /** @throws ConfigurationError when the name is taken or no provider would take it. */
  register(tool: Tool): void {
    const { name, ownerId } = tool;
    if (!TOOL_NAME.test(name)) {
      throw new ConfigurationError(
        `"${name}" is no tool name: use 1 to 64 letters, digits, underscores or hyphens`,
      );
    }
    if (this.#tools.has(keyOf(name)) || this.#tools.has(keyOf(name, ownerId))) {
      throw new ConfigurationError(`There already is a tool "${name}"`);
    }
    this.#tools.set(keyOf(name, ownerId), new KnownTool(tool));
  }

  /** Makes and registers a tool; one that cannot be made is logged and listed as not available. */
  setUp(name: string, make: () => Tool): void {
    try {
      this.register(make());
    } catch (error) {
      this.logger.error(`The tool ${name} could not be set up: ${String(error)}`);
      const key = keyOf(name);
      if (!this.#tools.has(key))
        this.#tools.set(key, new KnownTool(unavailableTool({ name }, SET_UP_FAILED)));
    }
  }

  /** True when there was such a tool. */
  unregister(name: string, ownerId?: string): boolean {
    return this.#tools.delete(keyOf(name, ownerId));
  }

  addSource(source: ToolSource): void {
    this.#sources.push(source);
  }

  /**
   * To be awaited before tools are looked for: some are registered only when their owner comes.
   * @param names the only ones that are wanted
   */
  async ready(caller: Caller, names?: readonly string[]): Promise<void> {
    if (names?.every((name) => this.find(name, caller))) return;
    await Promise.all(this.#sources.map((source) => source.ready(caller, names)));
  }

  /** A tool that can be called now. */
  find(name: string, caller?: Caller): Tool | undefined {
    const known = this.known(name, caller);
    return known?.unavailableReason === undefined ? known?.tool : undefined;
  }

  /** Those that can be called now, by name. */
  list(caller?: Caller): readonly Tool[] {
    return this.visible(caller)
      .filter((known) => known.unavailableReason === undefined)
      .map(({ tool }) => tool);
  }

  /** Available or not. What everybody has goes before an own tool of the same name. */
  known(name: string, caller?: Caller): KnownTool | undefined {
    return this.#tools.get(keyOf(name)) ?? this.ownOf(name, caller);
  }

  /** Of all, available or not, by name. */
  states(caller?: Caller): readonly ToolState[] {
    return this.visible(caller).map(({ state }) => state);
  }

  private visible(caller?: Caller): readonly KnownTool[] {
    return [...this.#tools.values()]
      .filter((known) => this.known(known.tool.name, caller) === known)
      .sort((a, b) => (a.tool.name < b.tool.name ? -1 : 1));
  }

  private ownOf(name: string, caller?: Caller): KnownTool | undefined {
    return caller && this.#tools.get(keyOf(name, caller.principal.userId));
  }
}

/** No name holds a space. */
function keyOf(name: string, ownerId = ''): string {
  return `${name} ${ownerId}`;
}
