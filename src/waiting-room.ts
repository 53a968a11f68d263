import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { newId, toApiId } from './common/index';
import type { AppConfig } from './config/index';
import { errorResponse, ServiceUnavailableError } from './errors/index';

/**
 * Answers in the place of the service while that waits for PostgreSQL at its start: alive, not ready, try again later.
 * Behind a closed port an orchestrator would restart the process over and over, later each time.
 */
export class WaitingRoom {
  private server?: Server;

  constructor(private readonly config: Pick<AppConfig, 'port' | 'host'>) {}

  /** Does nothing where the port is chosen at random: nobody could know it. */
  async open(): Promise<void> {
    if (this.config.port === 0) return;
    this.server = createServer(answer);
    this.server.listen(this.config.port, this.config.host);
    await once(this.server, 'listening');
  }

  /** Frees the port. May be repeated. */
  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const route = request.url?.split('?', 1)[0] ?? '/';
  const reason = 'The service is starting and waits for PostgreSQL';
  response.setHeader('connection', 'close');
  if (route === '/healthz') return send(response, 200, { status: 'ok' });
  if (route === '/readyz') return send(response, 503, { ready: false, database: false, reasons: [reason] });
  const refused = errorResponse(new ServiceUnavailableError(reason), route, toApiId('req', newId()));
  for (const [name, value] of Object.entries(refused.headers)) response.setHeader(name, value);
  send(response, refused.status, refused.body);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
