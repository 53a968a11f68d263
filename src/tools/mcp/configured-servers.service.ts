import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { AppConfig } from '../../config/index';
import { ToolRegistry, type ToolSource } from '../tool-registry';
import { AttachedServer } from './attached-server';
import { McpDialer } from './mcp-dialer';
import { serverToolName } from './tool-names';

/** How long a request waits for a server that is being connected. */
export const PATIENCE_MS = 3000;

/** The administrator's MCP servers, for everybody. The start of the process does not wait for them. */
@Injectable()
export class ConfiguredServers implements ToolSource, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly servers = new Map<string, AttachedServer>();

  constructor(
    private readonly config: AppConfig,
    private readonly registry: ToolRegistry,
    private readonly dialer: McpDialer,
  ) {}

  onApplicationBootstrap(): void {
    this.registry.addSource(this);
    for (const [name, settings] of Object.entries(this.config.mcpServers)) {
      const { timeoutMs, tools: allowed } = settings;
      const dial = () => this.dialer.configured(name, settings);
      const server = new AttachedServer(this.registry, { name, timeoutMs, allowed, dial });
      this.servers.set(name, server);
      // Loading the protocol's library takes long: not before the process is ready.
      setImmediate(() => void server.connection.connect());
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.servers.values()].map((server) => server.detach()));
  }

  has(name: string): boolean {
    return Object.hasOwn(this.config.mcpServers, name);
  }

  /** Waits for the servers whose tools are wanted. */
  async ready(_caller: unknown, names?: readonly string[]): Promise<void> {
    const wanted = [...this.servers].filter(
      ([server]) => names?.some((name) => name.startsWith(serverToolName(server))) ?? true,
    );
    await Promise.all(wanted.map(([, { connection }]) => connection.settled(PATIENCE_MS)));
  }
}
