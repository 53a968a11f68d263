import dns from 'node:dns/promises';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { OutboundClient, type OutboundRequest, OutboundUrlError } from '../../../src/common/index';
import { listen } from '../../support/listen';

const POST: OutboundRequest = { method: 'POST', headers: {}, body: 'x', timeoutMs: 5000, maxBytes: 1024 };

/** Ends the connection when nothing but the head has been sent. */
function cut(response: ServerResponse): void {
  response.flushHeaders();
  setImmediate(() => response.destroy());
}

describe(OutboundClient.name, () => {
  const servers: Server[] = [];
  const clients: OutboundClient[] = [];

  afterEach(async () => {
    jest.restoreAllMocks();
    for (const client of clients.splice(0)) await client.close();
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  async function serve(answer: RequestListener): Promise<number> {
    const server = createServer(answer);
    servers.push(server);
    return await listen(server);
  }

  function client(...args: ConstructorParameters<typeof OutboundClient>): OutboundClient {
    const made = new OutboundClient(...args);
    clients.push(made);
    return made;
  }

  it('refuses a name that leads to a private address, and connects nowhere', async () => {
    let requests = 0;
    const port = await serve((_, response) => {
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
    const port = await serve((request, response) => response.end(request.headers.host));
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
    const port = await serve((request, response) => {
      if (request.url === '/') response.writeHead(307, { location: `http://127.0.0.1:${port}/secret` });
      response.end('moved');
    });
    const outbound = client({ allowedHosts: [`127.0.0.1:${port}`], isHttpAllowed: true });

    await expect(outbound.send(`http://127.0.0.1:${port}/`, POST)).resolves.toMatchObject({ status: 307 });
  });

  it('reads no more of an answer than it may, however long it goes on', async () => {
    const port = await serve((_, response) => {
      response.on('drain', () => response.write(Buffer.alloc(65_536)));
      response.write(Buffer.alloc(65_536));
    });
    const outbound = client({ allowedHosts: ['127.0.0.1'], isHttpAllowed: true });

    const answer = await outbound.send(`http://127.0.0.1:${port}/`, POST);

    expect(answer).toMatchObject({ status: 200, isCut: true });
    expect(answer.body).toHaveLength(1024);
  });

  it('asks name servers for public names, and the system only for names that are allowed', async () => {
    const port = await serve((_, response) => response.end('here'));
    const lookup = jest.spyOn(dns, 'lookup');
    const ipv4 = jest.spyOn(dns.Resolver.prototype, 'resolve4').mockResolvedValue(['10.0.0.1'] as never);
    const ipv6 = jest.spyOn(dns.Resolver.prototype, 'resolve6').mockRejectedValue(new Error('ENODATA'));
    const outbound = client({ allowedHosts: ['localhost'], isHttpAllowed: true });

    await expect(outbound.send('http://hooks.example.com/', POST)).rejects.toThrow(OutboundUrlError);
    expect([ipv4.mock.calls, ipv6.mock.calls]).toEqual([[['hooks.example.com']], [['hooks.example.com']]]);
    expect(lookup).not.toHaveBeenCalled();

    await expect(outbound.send(`http://localhost:${port}/`, POST)).resolves.toMatchObject({ status: 200 });
    expect(ipv4).toHaveBeenCalledTimes(1);
  });

  it('says so when a public name has no address at all', async () => {
    const missing = Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' });
    jest.spyOn(dns.Resolver.prototype, 'resolve4').mockRejectedValue(missing);
    jest.spyOn(dns.Resolver.prototype, 'resolve6').mockRejectedValue(new Error('queryAaaa ENODATA'));
    const outbound = client({ allowedHosts: [], isHttpAllowed: true });

    await expect(outbound.send('http://hooks.example.com/', POST)).rejects.toMatchObject({
      code: 'ENOTFOUND',
    });
  });

  it('checks the IPv6 addresses of a public name as well', async () => {
    jest.spyOn(dns.Resolver.prototype, 'resolve4').mockResolvedValue(['8.8.8.8'] as never);
    jest.spyOn(dns.Resolver.prototype, 'resolve6').mockResolvedValue(['::1'] as never);
    const outbound = client({ allowedHosts: [], isHttpAllowed: true });

    await expect(outbound.send('http://hooks.example.com/', POST)).rejects.toThrow(OutboundUrlError);
  });

  it.each<[string, RequestListener]>([
    ['never begins', (_, response) => response.writeHead(200).flushHeaders()],
    ['never ends', (_, response) => void response.writeHead(200).write('a')],
    ['is cut', (_, response) => cut(response.writeHead(200, { 'content-length': 5 }))],
    ['is empty', (_, response) => response.writeHead(200).end()],
  ])('wants no more than the head with maxBytes 0, when the body %s', async (_, answer) => {
    const port = await serve(answer);
    const outbound = client({ allowedHosts: ['127.0.0.1'], isHttpAllowed: true });

    const sent = outbound.send(`http://127.0.0.1:${port}/`, { ...POST, maxBytes: 0 });

    await expect(sent).resolves.toMatchObject({ status: 200, body: Buffer.alloc(0) });
  });

  it('gives up a receiver that does not answer, and one whose answer does not end', async () => {
    const silent = await serve(() => undefined);
    const endless = await serve((_, response) => response.write('a'));
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
