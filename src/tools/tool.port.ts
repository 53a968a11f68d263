import type { JsonObject, JsonValue, RequestContext } from '../common/index';

/** A server-side tool that a model may call. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** JSON schema of the arguments. */
  readonly parameters: JsonObject;
  /** @throws any error; its message is given to the model as the result. */
  run(ctx: RequestContext, args: JsonObject, signal: AbortSignal): Promise<JsonValue>;
}
