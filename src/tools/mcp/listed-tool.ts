/** A tool as its MCP server describes it, made fit for models. Pure. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../common/index';

export interface ListedTool {
  /** The server's own. */
  readonly name: string;
  readonly description: string;
  /** JSON schema. */
  readonly parameters: JsonObject;
  /** Why no model can call it. */
  readonly problem?: string;
}

const MAX_NAME = 200;
const MAX_DESCRIPTION = 4096;
const MAX_SCHEMA_CHARS = 64 * 1024;
const NO_ARGUMENTS: JsonObject = { type: 'object' };

/** Undefined when it has not even a name. */
export function listedTool(listed: JsonValue): ListedTool | undefined {
  if (!isJsonObject(listed)) return undefined;
  const { name, title, description, inputSchema } = listed;
  if (typeof name !== 'string' || name === '' || name.length > MAX_NAME) return undefined;
  const about = [description, title].find((text) => typeof text === 'string' && text.trim() !== '') ?? name;
  const problem = problemOf(inputSchema);
  return {
    name,
    description: (about as string).slice(0, MAX_DESCRIPTION),
    parameters: problem === undefined ? (inputSchema as JsonObject) : NO_ARGUMENTS,
    problem,
  };
}

/** Of what is kept of it. */
export function charsOf({ name, description, parameters }: ListedTool): number {
  return name.length + description.length + JSON.stringify(parameters).length;
}

/** The same tool with no more than its name, because others of its server say too much. */
export function withoutRoom({ name }: ListedTool, maxChars: number): ListedTool {
  const problem = `the tools of its server have more than ${maxChars} characters together`;
  return { name, description: name, parameters: NO_ARGUMENTS, problem };
}

function problemOf(schema: JsonValue | undefined): string | undefined {
  if (!isJsonObject(schema) || schema.type !== 'object')
    return 'the schema of its arguments is not that of an object';
  if (JSON.stringify(schema).length > MAX_SCHEMA_CHARS) {
    return `the schema of its arguments has more than ${MAX_SCHEMA_CHARS} characters`;
  }
  return undefined;
}
