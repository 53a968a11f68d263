import dns from 'node:dns/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { HttpTool } from '../../../src/tools/http/http.tool';
import { ToolHttp } from '../../../src/tools/http/tool-http';
import { listen } from '../../support/listen';
import { callerOf, type ToolCaller, toolConfig } from '../../support/tools/tool-caller';

interface Seen {
  readonly method?: string;
  readonly url?: string;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

describe(HttpTool.name, () => {
  const servers: Server[] = [];
  const clients: ToolHttp[] = [];

  afterEach(async () => {
    jest.restoreAllMocks();
    for (const client of clients.splice(0)) await client.onApplicationShutdown();
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  async function serve(answer: RequestListener): Promise<{ host: string; seen: Seen[] }> {
    const seen: Seen[] = [];
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method, url, headers } = request;
        seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
        answer(request, response);
      });
    });
    servers.push(server);
    return { host: `127.0.0.1:${await listen(server)}`, seen };
  }

  /** Both lists name the hosts unless told otherwise. */
  function caller(hosts: readonly string[], env: NodeJS.ProcessEnv = {}): ToolCaller {
    const list = hosts.join(',');
    const config = toolConfig({ HTTP_TOOL_HOSTS: list, OUTBOUND_ALLOWED_HOSTS: list, ...env });
    const http = new ToolHttp(config);
    clients.push(http);
    return callerOf(config, 'http', () => new HttpTool(http));
  }

  it('sends a request and gives status, headers and body', async () => {
    const { host, seen } = await serve((_, response) => {
      response.writeHead(418, { 'content-type': 'text/plain', etag: '"1"', 'set-cookie': 'secret=1' });
      response.end('short and stout');
    });
    const { answer } = await caller([host])({
      url: `http://${host}/pot?a=1`,
      method: 'POST',
      headers: { Authorization: 'Bearer x' },
      body: { tea: true },
    });
    expect(answer).toEqual({
      status: 418,
      url: `http://${host}/pot?a=1`,
      headers: { 'content-type': 'text/plain', etag: '"1"' },
      body: 'short and stout',
    });
    expect(seen).toMatchObject([
      {
        method: 'POST',
        url: '/pot?a=1',
        headers: { authorization: 'Bearer x', 'content-type': 'application/json', 'user-agent': 'Lattice' },
        body: '{"tea":true}',
      },
    ]);
  });

  it.each(['HEAD', 'PUT', 'PATCH', 'DELETE'])('sends %s', async (method) => {
    const { host, seen } = await serve((_, response) => response.end());
    expect((await caller([host])({ url: `http://${host}/`, method })).answer).toMatchObject({
      status: 200,
      body: '',
    });
    expect(seen[0]?.method).toBe(method);
  });

  it('gives text by its character set, and no bytes that are no text', async () => {
    const { host } = await serve((request, response) => {
      if (request.url === '/latin')
        response.setHeader('content-type', 'text/html; charset=ISO-8859-1').end(Buffer.from([0xfc]));
      else if (request.url === '/zip') response.setHeader('content-encoding', 'gzip').end('abc');
      else response.end(Buffer.from([1, 0, 2]));
    });
    const call = caller([host]);
    expect((await call({ url: `http://${host}/latin` })).answer?.body).toBe('ü');
    expect((await call({ url: `http://${host}/zip` })).answer?.body).toBe('[3 bytes that are no text]');
    expect((await call({ url: `http://${host}/` })).answer?.body).toBe('[3 bytes that are no text]');
  });

  it('reads no more than it may of an answer that never ends', async () => {
    const { host } = await serve((_, response) => {
      const more = (): void => {
        while (response.write('x'.repeat(16_384)));
      };
      response.on('drain', more);
      more();
    });
    const { answer } = await caller([host])({ url: `http://${host}/` });
    expect(answer).toMatchObject({ status: 200, isCut: true });
    expect(answer?.body).toHaveLength(64 * 1024);
  });

  describe('refuses', () => {
    it('a host that the administrator does not list, and asks it nothing', async () => {
      const { host, seen } = await serve((_, response) => response.end('secret'));
      const call = caller(['api.example.com'], { OUTBOUND_ALLOWED_HOSTS: host });
      expect((await call({ url: `http://${host}/` })).content).toBe(
        `Error: the host ${host} is not among those that may be called`,
      );
      expect(seen).toEqual([]);
    });

    it.each([
      ['http://127.0.0.1/'],
      ['http://[::1]/'],
      ['http://2130706433/'],
      ['http://0x7f.0.0.1/'],
      ['http://[::ffff:127.0.0.1]/'],
      ['http://10.1.2.3/'],
      ['http://169.254.169.254/latest/meta-data/'],
      ['http://100.100.100.200/'],
      ['http://localhost/'],
      ['http://LOCALHOST./'],
      ['http://a.localhost/'],
    ])('the private address %s, also where every host is listed', async (url) => {
      const { ok, content } = await caller(['*'], { OUTBOUND_ALLOWED_HOSTS: '' })({ url });
      expect(ok).toBe(false);
      expect(content).toContain('not a public address');
    });

    it('a private host that webhooks may reach, unless the list names it', async () => {
      const { host, seen } = await serve((_, response) => response.end('secret'));
      const { content } = await caller(['*'], { OUTBOUND_ALLOWED_HOSTS: host })({ url: `http://${host}/` });
      expect(content).toContain('not a public address');
      expect(seen).toEqual([]);
    });

    it('where only other tools of the installation may go', async () => {
      const { host, seen } = await serve((_, response) => response.end('secret'));
      const env = { OUTBOUND_ALLOWED_HOSTS: '', COMFYUI_URL: `http://${host}` };
      for (const list of ['*', host]) {
        const { content } = await caller([list], env)({ url: `http://${host}/` });
        expect(content).toContain('not a public address');
      }
      expect(seen).toEqual([]);
    });

    it('a name that leads to a private address', async () => {
      const { host, seen } = await serve((_, response) => response.end('secret'));
      jest.spyOn(dns.Resolver.prototype, 'resolve4').mockResolvedValue(['127.0.0.1'] as never);
      jest.spyOn(dns.Resolver.prototype, 'resolve6').mockResolvedValue([] as never);
      const port = host.split(':')[1];
      const { content } = await caller(['*.example.com'])({ url: `http://rebound.example.com:${port}/` });
      expect(content).toContain('not a public address');
      expect(content).not.toContain('127.0.0.1');
      expect(seen).toEqual([]);
    });

    it.each([
      [{ url: 'file:///etc/passwd' }, /not among those|only http/],
      [{ url: 'nonsense' }, /absolute URL/],
      [{ url: 'https://user:pass@api.example.com/' }, /user name or password/],
      [{ url: 'https://api.example.com/', method: 'TRACE' }, /must be one of/],
      [{ url: 'https://api.example.com/', body: 'x' }, /GET takes no body/],
      [{ url: 'https://api.example.com/', headers: { Host: 'intern' } }, /header host cannot be set/],
      [{ url: 'https://api.example.com/', headers: { 'Proxy-Authorization': 'x' } }, /cannot be set/],
      [{ url: 'https://api.example.com/', headers: { 'Transfer-Encoding': 'chunked' } }, /cannot be set/],
      [{ url: 'https://api.example.com/', headers: { 'x\r\ny': 'z' } }, /no name of a header/],
      [{ url: 'https://api.example.com/', headers: { x: 'a\r\nhost: intern' } }, /cannot be sent/],
      [{ url: 'https://api.example.com/', headers: { x: 1 } }, /must be of type string/],
    ])('%j', async (args, reason) => {
      const { ok, content } = await caller(['api.example.com', '*.example.org'])(args);
      expect(ok).toBe(false);
      expect(content).toMatch(reason);
    });
  });

  it('sends no body beyond its limit', async () => {
    const { host, seen } = await serve((_, response) => response.end());
    const send = (length: number) =>
      caller([host])({ url: `http://${host}/`, method: 'PUT', body: 'x'.repeat(length) });
    expect((await send(262_144)).ok).toBe(true);
    expect((await send(262_145)).content).toBe('Error: body has more than 262144 bytes');
    expect(seen).toHaveLength(1);
  });

  describe('redirects', () => {
    it('are followed, and the last answer counts', async () => {
      const { host, seen } = await serve((request, response) => {
        if (request.url === '/1') response.writeHead(302, { location: '/2' }).end();
        else if (request.url === '/2') response.writeHead(308, { location: `http://${host}/3` }).end();
        else response.end('there');
      });
      const { answer } = await caller([host])({ url: `http://${host}/1`, headers: { 'x-api-key': 'k' } });
      expect(answer).toMatchObject({ status: 200, body: 'there', url: `http://${host}/3` });
      expect(seen.map(({ headers }) => headers['x-api-key'])).toEqual(['k', 'k', 'k']);
    });

    it('take no credential to another host', async () => {
      const other = await serve((_, response) => response.end('other'));
      const { host } = await serve((_, response) =>
        response.writeHead(302, { location: `http://${other.host}/` }).end(),
      );
      const headers = { authorization: 'Bearer x', cookie: 'a=b', 'x-api-key': 'k', 'x-token': 't' };
      const { answer } = await caller([host, other.host])({ url: `http://${host}/`, headers });
      expect(answer?.body).toBe('other');
      for (const name of Object.keys(headers)) expect(other.seen[0]?.headers[name]).toBeUndefined();
    });

    it('lead to no host that is not listed', async () => {
      const other = await serve((_, response) => response.end('secret'));
      const { host } = await serve((_, response) =>
        response.writeHead(302, { location: `http://${other.host}/` }).end(),
      );
      const both = `${host},${other.host}`;
      const { content } = await caller([host], { OUTBOUND_ALLOWED_HOSTS: both })({ url: `http://${host}/` });
      expect(content).toBe(`Error: the host ${other.host} is not among those that may be called`);
      expect(other.seen).toEqual([]);
    });

    it('lead to no private address', async () => {
      const { host } = await serve((_, response) =>
        response.writeHead(302, { location: 'http://169.254.169.254/latest/' }).end(),
      );
      const { content } = await caller([host, '*'], { OUTBOUND_ALLOWED_HOSTS: host })({
        url: `http://${host}/`,
      });
      expect(content).toContain('not a public address');
    });

    it('end somewhere', async () => {
      const { host, seen } = await serve((_, response) => response.writeHead(302, { location: '/' }).end());
      const { content } = await caller([host])({ url: `http://${host}/` });
      expect(content).toBe('Error: there were more than 5 redirects');
      expect(seen).toHaveLength(6);
    });
  });

  it('says that a host cannot be reached, without an address', async () => {
    const { host } = await serve((request) => request.socket.destroy());
    const { content } = await caller([host])({ url: `http://${host}/` });
    expect(content).toMatch(new RegExp(`^Error: ${host} could not be reached \\(\\w+\\)$`));
  });

  it('gives up when it is told to, also while nothing comes', async () => {
    const controller = new AbortController();
    const { host } = await serve(() => controller.abort());
    const { content } = await caller([host])({ url: `http://${host}/` }, { signal: controller.signal });
    expect(content).toBe('Error: the call was cancelled');
  });

  it('is not available without hosts, or with one that is none', async () => {
    const call = { url: 'https://example.com/' };
    expect((await caller([])(call)).content).toContain('HTTP_TOOL_HOSTS names no host');
    expect((await caller(['https://example.com/'])(call)).content).toContain(
      'that is no host: https://example.com/',
    );
  });
});
