import type { JsonObject, RequestContext } from '../../../src/common/index';
import { type AppConfig, loadConfig } from '../../../src/config/index';
import { type Tool, type ToolOutcome, ToolRegistry, ToolRunner } from '../../../src/tools/index';
import { aContext } from '../factories';

export type ToolCaller = (
  args: JsonObject,
  more?: { readonly ctx?: RequestContext; readonly signal?: AbortSignal },
) => Promise<ToolOutcome & { readonly answer?: JsonObject }>;

export function toolConfig(env: NodeJS.ProcessEnv = {}): AppConfig {
  return loadConfig({
    LATTICE_ENV: 'test',
    LATTICE_SECRET_KEY: 'a-secret-for-tests-only-0123456789',
    ...env,
  });
}

/** Calls a tool as models do: by the registry and the runner, with arguments as JSON text. */
export function callerOf(config: AppConfig, name: string, make: () => Tool): ToolCaller {
  const registry = new ToolRegistry();
  registry.setUp(name, make);
  const runner = new ToolRunner(registry, config);
  return async (args, { ctx = aContext(), signal = new AbortController().signal } = {}) => {
    const outcome = await runner.run(ctx, { name, arguments: JSON.stringify(args) }, signal);
    return outcome.ok ? { ...outcome, answer: JSON.parse(outcome.content) as JsonObject } : outcome;
  };
}
