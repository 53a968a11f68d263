import type { OwnedResource } from '../../auth/index';

/** Of servers of users; there is no setting for it. */
export const MCP_CALL_TIMEOUT_MS = 60_000;

/** `idle`: nobody uses it here now, so there is no connection; the next use makes one. */
export const MCP_STATES = ['connected', 'unavailable', 'idle'] as const;
export type McpState = (typeof MCP_STATES)[number];

export interface McpServerState {
  readonly state: McpState;
  readonly unavailableReason?: string;
  /** Names in the registry. */
  readonly tools: readonly string[];
}

export const IDLE: McpServerState = Object.freeze({ state: 'idle', tools: [] });

/** All that is known of a user's server but the values of its headers. UUIDs. */
export interface McpServer {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly url: string;
  readonly headerNames: readonly string[];
  /** Another one whenever something about the connection has changed. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type McpHeaders = Readonly<Record<string, string>>;

/** A server with what is needed to call it. */
export interface McpServerAccess extends McpServer {
  /** Undefined: the secret key that they were sealed with is gone. */
  readonly headers?: McpHeaders;
}

/** For `@OwnedBy`. */
export const MCP_SERVER: OwnedResource = { prefix: 'mcp', name: 'MCP server', table: 'mcp_servers' };
