import { Injectable } from '@nestjs/common';
import { isJsonObject, type JsonObject, type JsonValue, type RequestContext } from '../common/index';
import { AppConfig } from '../config/index';
import type { Tool } from './tool.port';
import { ToolRegistry } from './tool-registry';

/** A tool call as a model wrote it. */
export interface ToolCall {
  readonly name: string;
  /** JSON text; empty or missing counts as no arguments. */
  readonly arguments?: string;
}

/** What the model is given as the result. A failure is text that starts with `Error: `, never a stack. */
export interface ToolOutcome {
  readonly ok: boolean;
  readonly content: string;
}

const DEFAULT_RESULT_BYTES = 100 * 1024;
const MAX_ERROR_LENGTH = 1000;

/** Runs one server-side tool call. It never throws: whatever goes wrong becomes a text the model can react to. */
@Injectable()
export class ToolRunner {
  constructor(
    private readonly registry: ToolRegistry,
    private readonly config: AppConfig,
  ) {}

  /** Bounded by the tool's own limit or `TOOL_TIMEOUT_MS`, and by `signal`, also where the tool heeds neither. */
  async run(ctx: RequestContext, call: ToolCall, signal: AbortSignal): Promise<ToolOutcome> {
    await this.registry.ready(ctx, [call.name]);
    const known = this.registry.known(call.name, ctx);
    if (!known) return failed(`there is no tool "${call.name}"`);
    const { tool, unavailableReason } = known;
    if (unavailableReason !== undefined)
      return failed(`the tool "${call.name}" is not available: ${unavailableReason}`);
    const args = parsedArguments(call.arguments);
    if (!args) return failed('the arguments are not a JSON object');
    try {
      const problems = known.problems(args);
      if (problems.length > 0) return failed(problems.join('; '));
      const text = toText(await this.#runBounded(ctx, tool, args, signal));
      return { ok: true, content: bounded(text, tool.outputBytes ?? DEFAULT_RESULT_BYTES) };
    } catch (error) {
      return failed(error instanceof Error ? error.message : String(error));
    }
  }

  async #runBounded(
    ctx: RequestContext,
    tool: Tool,
    args: JsonObject,
    signal: AbortSignal,
  ): Promise<JsonValue> {
    const { timeoutMs = this.config.vars.TOOL_TIMEOUT_MS } = tool;
    const controller = new AbortController();
    const cancel = (): void => controller.abort(new Error('the call was cancelled'));
    const timer = setTimeout(
      () => controller.abort(new Error(`${tool.name} did not finish within ${timeoutMs} ms`)),
      timeoutMs,
    );
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await Promise.race([aborted(controller.signal), tool.run(ctx, args, controller.signal)]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  });
}

function parsedArguments(text: string | undefined): JsonObject | undefined {
  if (text === undefined || text.trim() === '') return {};
  try {
    const parsed: unknown = JSON.parse(text);
    return isJsonObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function toText(result: JsonValue | undefined): string {
  return typeof result === 'string' ? result : JSON.stringify(result ?? null);
}

function bounded(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  const note = `\n[cut: ${bytes.length} bytes in all]`;
  // A character cut in half at the end would be written as U+FFFD.
  const kept = bytes.subarray(0, Math.max(0, maxBytes - note.length)).toString();
  return kept.replace(/\uFFFD$/, '') + note;
}

/** The first line only: libraries put request dumps and stacks behind it. */
function failed(message: string): ToolOutcome {
  const line = message.split('\n', 1)[0]?.trim() || 'the tool failed';
  return { ok: false, content: `Error: ${line.slice(0, MAX_ERROR_LENGTH)}` };
}
