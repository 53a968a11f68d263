import type { AppConfig, McpServers } from '../../../src/config/index';
import { AttachedServer } from '../../../src/tools/mcp/attached-server';
import { McpDialer } from '../../../src/tools/mcp/mcp-dialer';
import { ToolRegistry, type ToolOutcome, ToolRunner } from '../../../src/tools/index';
import { aContext } from '../factories';
import { toolConfig } from '../tools/tool-caller';

/** Quick to try again. */
const LIMITS = { connectMs: 15_000, retryMs: 20, maxRetryMs: 100, refreshMs: 10 };

export interface Attached {
  readonly server: AttachedServer;
  readonly registry: ToolRegistry;
  readonly call: (tool: string, args?: object, signal?: AbortSignal) => Promise<ToolOutcome>;
  readonly close: () => Promise<void>;
}

/** One server of the administrator's as the service attaches it, connected or tried once. */
export async function attach(mcpServers: McpServers, env: NodeJS.ProcessEnv = {}): Promise<Attached> {
  const [[name, settings] = ['', undefined]] = Object.entries(mcpServers);
  if (!settings) throw new Error('One server is attached');
  const config = Object.create(toolConfig(env)) as AppConfig;
  Object.defineProperty(config, 'mcpServers', { value: mcpServers });
  const dialer = new McpDialer(config);
  const registry = new ToolRegistry();
  const { timeoutMs, tools: allowed } = settings;
  const dial = () => dialer.configured(name, settings);
  const server = new AttachedServer(registry, { name, timeoutMs, allowed, dial, limits: LIMITS });
  await server.connection.connect();
  const runner = new ToolRunner(registry, config);
  return {
    server,
    registry,
    call: (tool, args = {}, signal = new AbortController().signal) =>
      runner.run(aContext({ signal }), { name: tool, arguments: JSON.stringify(args) }, signal),
    close: async () => {
      await server.detach();
      await dialer.onApplicationShutdown();
    },
  };
}
