import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OutboundClient, type OutboundRequest, OutboundUrlError } from '../../../src/common/index';

const POST: OutboundRequest = { method: 'POST', headers: {}, body: 'x', timeoutMs: 5000, maxBytes: 1024 };

describe(OutboundClient.name, () => {
  const servers: Server[] = [];
  const clients: OutboundClient[] = [];

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  async function listen(answer: RequestListener): Promise<number> {
    const server = createServer(answer);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  function client(...args: ConstructorParameters<typeof OutboundClient>): OutboundClient {
    const made = new OutboundClient(...args);
    clients.push(made);
    return made;
  }

  it('refuses a name that leads to a private address, and connects nowhere', async () => {
    let requests = 0;
    const port = await listen((_, response) => {
      requests += 1;
      response.end();
    });
    const rules = { allowedHosts: [], isHttpAllowed: true };
    const outbound = client(rules, async () => [{ address: '127.0.0.1', family: 4 }]);

    await expect(outbound.send(`http://hooks.example.com:${port}/`, POST)).rejects.toThrow(OutboundUrlError);
    expect(requests).toBe(0);
  });

  it('refuses a name when only one of its addresses is private', async () => {
    const outbound = client({ allowedHosts: [], isHttpAllowed: true }, async () => [
      { address: '8.8.8.8', family: 4 },
      { address: '::1', family: 6 },
    ]);

    await expect(outbound.send('http://hooks.example.com/', POST)).rejects.toThrow(OutboundUrlError);
  });

  it('resolves a name once per connection and connects to what was checked', async () => {
    const port = await listen((request, response) => response.end(request.headers.host));
    const asked: string[] = [];
    const outbound = client(
      { allowedHosts: [`hooks.example.com:${port}`], isHttpAllowed: true },
      async (hostname) => {
        asked.push(hostname);
        return [{ address: asked.length === 1 ? '127.0.0.1' : '203.0.113.1', family: 4 }];
      },
    );

    const answer = await outbound.send(`http://hooks.example.com:${port}/`, POST);

    expect(answer.body.toString()).toBe(`hooks.example.com:${port}`);
    expect(asked).toEqual(['hooks.example.com']);
  });

  it('does not follow a redirect', async () => {
    const port = await listen((request, response) => {
      if (request.url === '/') response.writeHead(307, { location: `http://127.0.0.1:${port}/secret` });
      response.end('moved');
    });
    const outbound = client({ allowedHosts: [`127.0.0.1:${port}`], isHttpAllowed: true });

    await expect(outbound.send(`http://127.0.0.1:${port}/`, POST)).resolves.toMatchObject({ status: 307 });
  });

  it('reads no more of an answer than it may, however long it goes on', async () => {
    const port = await listen((_, response) => {
      response.on('drain', () => response.write(Buffer.alloc(65_536)));
      response.write(Buffer.alloc(65_536));
    });
    const outbound = client({ allowedHosts: ['127.0.0.1'], isHttpAllowed: true });

    const answer = await outbound.send(`http://127.0.0.1:${port}/`, POST);

    expect(answer).toMatchObject({ status: 200, isCut: true });
    expect(answer.body).toHaveLength(1024);
  });

  it('gives up a receiver that does not answer, and one whose answer does not end', async () => {
    const silent = await listen(() => undefined);
    const endless = await listen((_, response) => response.write('a'));
    const outbound = client({ allowedHosts: ['127.0.0.1'], isHttpAllowed: true });
    const hasty = { ...POST, timeoutMs: 50 };

    for (const port of [silent, endless]) {
      const sent = outbound.send(`http://127.0.0.1:${port}/`, hasty);
      await expect(sent).rejects.toMatchObject({ name: 'TimeoutError' });
    }
  });

  it('gives up while the name is still being looked up', async () => {
    const outbound = client({ allowedHosts: [], isHttpAllowed: true }, () => new Promise(() => undefined));

    const sent = outbound.send('http://hooks.example.com/', { ...POST, timeoutMs: 50 });

    await expect(sent).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});
