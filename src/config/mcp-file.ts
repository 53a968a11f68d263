/** mcp.yaml: the administrator's MCP servers, whose tools everybody may use. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { ConfigurationError } from '../errors/index';
import { programText, secretFreeVariable } from './scripts-file';
import { readYamlFile } from './yaml-file';

export const MCP_FILE = 'mcp.yaml';
/** No underscore: in the name of a tool it ends the name of the server. */
export const MCP_SERVER_NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
export const MCP_SERVER_NAME_RULE =
  'must have 1 to 32 small letters, digits and hyphens, with no hyphen at its ends';

interface McpCommonSettings {
  /** Of one call. */
  readonly timeoutMs: number;
  /** The only tools that are taken over; undefined: all. */
  readonly tools?: readonly string[];
}

/** A program that speaks MCP on its standard input and output. */
export interface McpProgramSettings extends McpCommonSettings {
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly string[];
  /** Names of the variables that it gets, besides PATH, HOME, LANG and TMPDIR. */
  readonly env: readonly string[];
  /** Absolute. */
  readonly cwd: string;
}

/** A server that speaks MCP over Streamable HTTP. */
export interface McpUrlSettings extends McpCommonSettings {
  readonly url: string;
  /** Names of headers, and of the variables that hold their values. */
  readonly headers: Readonly<Record<string, string>>;
}

export type McpServerSettings = McpProgramSettings | McpUrlSettings;
/** By name. Frozen. */
export type McpServers = Readonly<Record<string, McpServerSettings>>;

const DEFAULT_TIMEOUT_MS = 60_000;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

const server = z
  .strictObject({
    command: z.array(programText).min(1, 'must name a program').max(64).optional(),
    env: z.array(secretFreeVariable).max(100).optional(),
    cwd: programText.min(1).optional(),
    url: z
      .string()
      .max(2048)
      .regex(/^https?:\/\/\S+$/, 'must be an http or https URL')
      .optional(),
    headers: z
      .record(z.string().regex(HEADER_NAME, 'must be the name of a header'), secretFreeVariable)
      .optional(),
    timeoutMs: z.int().min(100).max(3_600_000).default(DEFAULT_TIMEOUT_MS),
    tools: z.array(z.string().min(1).max(200)).max(1000).optional(),
  })
  .refine(
    ({ command, url }) => (command === undefined) !== (url === undefined),
    'must have a command or a url',
  )
  .refine(
    ({ command, env, cwd }) => command !== undefined || (env === undefined && cwd === undefined),
    'env and cwd go with a command',
  )
  .refine(({ url, headers }) => url !== undefined || headers === undefined, 'headers go with a url')
  .refine(({ url }) => url === undefined || URL.canParse(url), 'url is not a URL');

const file = z.preprocess(
  (value) => value ?? {},
  z.strictObject({
    servers: z.preprocess(
      (value) => value ?? {},
      z.record(z.string().regex(MCP_SERVER_NAME, MCP_SERVER_NAME_RULE), server),
    ),
  }),
) as z.ZodType<{ readonly servers?: Readonly<Record<string, z.output<typeof server>>> }>;

/**
 * Reads mcp.yaml from the first of the folders that has it. A `cwd` is meant from the file's own folder, which is also
 * where a program without one runs.
 * @throws ConfigurationError naming the file, the place in it and the reason.
 */
export function readMcpServers(dirs: readonly string[]): McpServers {
  const { file: found, value } = readYamlFile(dirs, MCP_FILE, file);
  const read = Object.entries(value.servers ?? {}).map(
    ([name, { command, env = [], cwd = '.', url, headers = {}, ...common }]) => {
      if (url !== undefined) return [name, Object.freeze({ ...common, url, headers })];
      const folder = path.resolve(path.dirname(found), cwd);
      if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
        throw new ConfigurationError(`${found}: servers.${name}.cwd: ${folder} is not a folder`);
      }
      if (command?.[0]?.trim() === '') {
        throw new ConfigurationError(`${found}: servers.${name}.command[0]: must name a program`);
      }
      return [name, Object.freeze({ ...common, command, env, cwd: folder })];
    },
  );
  return Object.freeze(Object.fromEntries(read)) as McpServers;
}

/** The headers with their values, or the variable that is not set. */
export function mcpHeaders(
  { headers }: McpUrlSettings,
  env: NodeJS.ProcessEnv = process.env,
): { readonly values: Record<string, string> } | { readonly missing: string } {
  const missing = Object.values(headers).find((variable) => !env[variable]);
  if (missing !== undefined) return { missing };
  const entries = Object.entries(headers).map(([name, variable]) => [name, env[variable] ?? ''] as const);
  return { values: Object.fromEntries(entries) };
}
