/** What the tools of MCP servers are called here. Pure. */
import { createHash } from 'node:crypto';

export const MCP_TOOL_PREFIX = 'mcp_';

const MAX_LENGTH = 64;
const HASH_CHARS = 8;
const ALLOWED = /^[A-Za-z0-9_-]+$/;

/** What stands in the list for a server whose tools are not known. */
export function serverToolName(server: string): string {
  return `${MCP_TOOL_PREFIX}${server}`;
}

/**
 * `mcp_<server>_<tool>`. A name that no provider would take is cut and cleaned and ends with a hash of the whole one, so
 * that it depends on nothing else the server has. Names of servers have no underscore: no two servers make the same name.
 */
export function mcpToolName(server: string, tool: string): string {
  const name = `${serverToolName(server)}_${tool}`;
  if (name.length <= MAX_LENGTH && ALLOWED.test(name)) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_CHARS);
  const clean = name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, MAX_LENGTH - HASH_CHARS - 1);
  return `${clean}_${hash}`;
}
