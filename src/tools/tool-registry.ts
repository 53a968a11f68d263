import { Injectable } from '@nestjs/common';
import { ConfigurationError } from '../errors/index';
import type { Tool } from './tool.port';

/** What every provider accepts as a function's name. */
const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** The server-side tools of this process, by name. */
@Injectable()
export class ToolRegistry {
  readonly #tools = new Map<string, Tool>();

  /** @throws ConfigurationError when the name is taken or no provider would take it. */
  register(tool: Tool): void {
    if (!TOOL_NAME.test(tool.name)) {
      throw new ConfigurationError(
        `"${tool.name}" is no tool name: use 1 to 64 letters, digits, underscores or hyphens`,
      );
    }
    if (this.#tools.has(tool.name)) throw new ConfigurationError(`There already is a tool "${tool.name}"`);
    this.#tools.set(tool.name, tool);
  }

  /** True when there was such a tool. */
  unregister(name: string): boolean {
    return this.#tools.delete(name);
  }

  find(name: string): Tool | undefined {
    return this.#tools.get(name);
  }

  /** By name. */
  list(): readonly Tool[] {
    return [...this.#tools.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
