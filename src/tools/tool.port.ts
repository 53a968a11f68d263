import type { JsonObject, JsonValue, RequestContext } from '../common/index';

/** A server-side tool that a model may call. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /**
   * JSON schema of the arguments, by the draft that its `$schema` names, else draft 7. Calls that break it never arrive; with an
   * `ownerId`, what would take long to check is left to the tool.
   */
  readonly parameters: JsonObject;
  /** How long one call may take; left out: `TOOL_TIMEOUT_MS`. */
  readonly timeoutMs?: number;
  /** How many bytes of a result a model is given; left out: 100 KiB. */
  readonly outputBytes?: number;
  /** UUID of the only user who has it; left out: everybody. */
  readonly ownerId?: string;

  /** Why it cannot be called now, and what would help; callers see the text. Undefined: it can. Asked often. */
  unavailableReason?(): string | undefined;

  /** @throws any error; its message is given to the model as the result. */
  run(ctx: RequestContext, args: JsonObject, signal: AbortSignal): Promise<JsonValue>;
}

/** A tool as callers see it. */
export interface ToolState extends Pick<Tool, 'name' | 'description' | 'parameters'> {
  /** Undefined: it is available. */
  readonly unavailableReason?: string;
}

/** What stands in a tool's place when there is no tool behind its name. */
export function unavailableTool(
  { name, description = '', ownerId }: Pick<Tool, 'name' | 'ownerId'> & { readonly description?: string },
  reason: string,
): Tool {
  return {
    name,
    description,
    ownerId,
    parameters: { type: 'object' },
    unavailableReason: () => reason,
    run: () => Promise.reject(new Error(reason)),
  };
}
