import { ServiceUnavailableError } from './errors';

/** The socket failed, before or after it was open. */
const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/**
 * Shutdown, crash, starting up, database dropped, idle session or transaction ended, statement or lock timeout,
 * connection limits, out of disk or memory, a standby that takes no writes (yet).
 */
const SERVER_CODES = /^(57P0[1-5]|57014|55P03|25006|25P03|08\w{3}|53\w{3}|58030)$/;
/** What `pg` says without a code, and TypeORM of a transaction whose connection was lost between two queries. */
const MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|connection timeout|timeout expired|Client was closed|Client has encountered a connection error|not queryable|Query runner already released|Query read timeout|Cannot use a pool after calling end/i;

/**
 * The 503 for a failure of the connection to PostgreSQL; undefined for everything else, such as a broken constraint.
 * Looks through wrapping errors, so that a driver error below a TypeORM error counts.
 */
export function toServiceUnavailable(error: unknown): ServiceUnavailableError | undefined {
  if (error instanceof ServiceUnavailableError) return error;
  if (!chain(error).some(isConnectionFailure)) return undefined;
  return new ServiceUnavailableError('The database is not available', { cause: error });
}

function chain(error: unknown): readonly unknown[] {
  const links: unknown[] = [];
  const queue: unknown[] = [error];
  while (queue.length > 0 && links.length < 20) {
    const link = queue.shift();
    if (typeof link !== 'object' || link === null) continue;
    links.push(link);
    const { cause, driverError, errors } = link as {
      cause?: unknown;
      driverError?: unknown;
      errors?: unknown;
    };
    queue.push(cause, driverError, ...(Array.isArray(errors) ? errors : []));
  }
  return links;
}

function isConnectionFailure(link: unknown): boolean {
  const { code, message } = link as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && (SOCKET_CODES.has(code) || SERVER_CODES.test(code))) return true;
  return typeof message === 'string' && MESSAGES.test(message);
}
