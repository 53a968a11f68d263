import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * Stands between a service and its PostgreSQL, so that a test can take that away from one service only: `refuse` (as
 * when the server has ended), or `hang` (as when packets are dropped: nothing is refused, nothing is answered).
 */
export class DatabaseProxy {
  private server?: Server;
  private port = 0;
  private isHanging = false;
  private readonly pairs = new Map<Socket, Socket>();
  /** Connections that hang and are never carried to the server. */
  private readonly lost = new Set<Socket>();

  private constructor(private readonly target: URL) {}

  static async start(databaseUrl: string): Promise<DatabaseProxy> {
    const proxy = new DatabaseProxy(new URL(databaseUrl));
    await proxy.listen();
    return proxy;
  }

  /** As the service shall know it. */
  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String(this.port);
    return url.toString();
  }

  async refuse(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    server?.close();
    this.dropAll();
    if (server) await once(server, 'close');
  }

  /** From now on nothing is answered; what was open stays open. */
  hang(): void {
    this.isHanging = true;
    for (const [client, upstream] of this.pairs) {
      client.pause().unpipe();
      upstream.pause().unpipe();
    }
  }

  /** It works again. What hung is lost, as after a network that was cut for long. */
  async restore(): Promise<void> {
    if (this.isHanging) this.dropAll();
    this.isHanging = false;
    if (!this.server) await this.listen();
  }

  async stop(): Promise<void> {
    await this.refuse();
  }

  private async listen(): Promise<void> {
    const server = createServer((client) => this.accept(client));
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.server = server;
    this.port = (server.address() as { port: number }).port;
  }

  private accept(client: Socket): void {
    client.on('error', () => undefined);
    if (this.isHanging) {
      this.lost.add(client.pause());
      return;
    }
    const upstream = connect(Number(this.target.port || 5432), this.target.hostname);
    this.pairs.set(client, upstream);
    upstream.on('error', () => client.destroy());
    client.once('close', () => {
      this.pairs.delete(client);
      upstream.destroy();
    });
    upstream.once('close', () => client.destroy());
    client.pipe(upstream).pipe(client);
  }

  private dropAll(): void {
    for (const client of [...this.pairs.keys(), ...this.lost]) client.resetAndDestroy();
    this.lost.clear();
  }
}
