/** Why an MCP server cannot be used, in words that its users may see. */
import { OutboundUrlError } from '../../common/index';

const MAX_MESSAGE_CHARS = 300;
const FORGOTTEN = 404;
/** Of JSON-RPC, as the protocol's own library uses them. */
const CONNECTION_CLOSED = -32_000;
const TIMED_OUT = -32_001;

/** Thrown where the cause is already in words. */
export class McpSetupError extends Error {}

type Coded = Error & { readonly code?: unknown };

export function failureText(error: unknown): string {
  if (error instanceof OutboundUrlError || error instanceof McpSetupError) return error.message;
  const { name, code, message } = error as Coded;
  if (isHttpFailure(error)) return httpText(error.code, message);
  if (code === CONNECTION_CLOSED) return 'it ended the connection';
  if (code === TIMED_OUT || name === 'TimeoutError') return 'it did not answer in time';
  if (typeof code === 'number') return `it refused: ${firstLine(message)}`;
  if (typeof code === 'string') return `it could not be reached (${code})`;
  return name === 'AbortError' ? 'it ended the connection' : 'its answer could not be read';
}

/** The server has lost what it knew of us, which it tells before it does anything. */
export function isForgotten(error: unknown): boolean {
  return isHttpFailure(error) && error.code === FORGOTTEN;
}

/** Did the server itself answer, with a refusal? */
export function isAnswer(error: unknown): boolean {
  const { code } = error as Coded;
  return (
    typeof code === 'number' && code !== CONNECTION_CLOSED && code !== TIMED_OUT && !isHttpFailure(error)
  );
}

/** The library's error for a status that is no success; a code of -1 is an answer of the wrong type. */
function isHttpFailure(error: unknown): error is Coded & { readonly code: number } {
  const { code, message } = error as Coded;
  return typeof code === 'number' && message.startsWith('Streamable HTTP error');
}

function httpText(code: number, message: string): string {
  if (code === 401 || code === 403) return `it refused the credentials (HTTP ${code})`;
  if (code < 0) return 'it does not speak MCP over Streamable HTTP';
  const target = /Redirect to (\S+)/.exec(message)?.[1];
  return target === undefined
    ? `it answered with HTTP ${code}`
    : 'it redirects to another host, which is not followed';
}

function firstLine(message: string): string {
  return (message.split('\n', 1)[0] ?? '').slice(0, MAX_MESSAGE_CHARS);
}
