import { createServer, type RequestListener, type Server } from 'node:http';
import { OutboundClient } from '../../../../src/common/index';
import { MAX_MESSAGE_BYTES, mcpFetch } from '../../../../src/tools/mcp/mcp-fetch';
import { listen } from '../../../support/listen';

describe('mcpFetch', () => {
  const servers: Server[] = [];
  let client: OutboundClient | undefined;

  afterEach(async () => {
    await client?.close();
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  async function serve(handler: RequestListener): Promise<string> {
    const server = createServer(handler);
    servers.push(server);
    const host = `127.0.0.1:${await listen(server)}`;
    client = new OutboundClient({ allowedHosts: [host], isHttpAllowed: true });
    return `http://${host}/mcp`;
  }
  const fetchWith = () =>
    mcpFetch(client ?? new OutboundClient({ allowedHosts: [], isHttpAllowed: true }), 60_000);

  it('answers as fetch does', async () => {
    const url = await serve((request, response) => {
      response.writeHead(404, { 'content-type': 'text/plain', 'x-two': ['a', 'b'] });
      response.end([request.method, request.headers['x-mine']].join(' '));
    });
    const answer = await fetchWith()(url, { method: 'POST', headers: { 'X-Mine': 'yes' }, body: '{}' });
    expect([answer.status, answer.ok, answer.headers.get('x-two')]).toEqual([404, false, 'a, b']);
    expect(await answer.text()).toBe('POST yes');
  });

  it('follows no redirect by itself', async () => {
    const url = await serve((_request, response) => response.writeHead(307, { location: '/other' }).end());
    expect((await fetchWith()(url)).headers.get('location')).toBe('/other');
  });

  it.each([204, 205, 304])('takes %i, which has no body', async (status) => {
    const url = await serve((_request, response) => response.writeHead(status).end());
    expect((await fetchWith()(url)).status).toBe(status);
  });

  it('ends a message that grows too long', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(Buffer.alloc(MAX_MESSAGE_BYTES + 1, 0x20));
    });
    const answer = await fetchWith()(url, { method: 'POST', body: '{}' });
    await expect(answer.text()).rejects.toThrow();
  });

  it('counts the bytes of a stream anew with every message', async () => {
    const event = `data: ${'x'.repeat(1024 * 1024)}\n\n`;
    const events = 2 + MAX_MESSAGE_BYTES / (1024 * 1024);
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(event.repeat(events));
    });
    expect(await (await fetchWith()(url)).text()).toHaveLength(event.length * events);
  });

  it('gives the connection up when nobody reads on', async () => {
    let closed: () => void = () => undefined;
    const isClosed = new Promise<void>((resolve) => (closed = resolve));
    const url = await serve((_request, response) => {
      response.on('close', () => closed());
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
    });
    await (await fetchWith()(url)).body?.cancel();
    await isClosed;
  });

  it('ends with its signal', async () => {
    const url = await serve(() => undefined);
    const controller = new AbortController();
    const asked = fetchWith()(url, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });

  it('asks the rule for URLs', async () => {
    await expect(fetchWith()('http://127.0.0.1:1/mcp')).rejects.toThrow('The URL is not allowed');
  });
});
