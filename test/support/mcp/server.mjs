/**
 * A real MCP server, built with the server side of the protocol's own library: `node server.mjs` speaks on the standard
 * streams, `node server.mjs <port>` over Streamable HTTP.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const NO_ARGUMENTS = { type: 'object', properties: {} };
const servers = new Set();
const extra = [];
let begun = 0;
let cancelled = 0;
/** Listings wait here while there is a gate. */
let gate;
let waitingLists = 0;

const text = (value) => ({ content: [{ type: 'text', text: value }] });

const tools = {
  echo: {
    inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
    run: ({ text: said }) => text(said),
  },
  fail: { run: () => ({ ...text('the wiki is closed\nuntil Monday'), isError: true }) },
  refuse: {
    run: () => {
      throw new Error('not today');
    },
  },
  picture: {
    run: () => ({
      content: [
        { type: 'text', text: 'Look:' },
        { type: 'image', mimeType: 'image/png', data: Buffer.alloc(300).toString('base64') },
        { type: 'resource', resource: { uri: 'file:///a.txt', text: 'inside' } },
        {
          type: 'resource',
          resource: { uri: 'file:///b.bin', mimeType: 'x/y', blob: Buffer.alloc(7).toString('base64') },
        },
        { type: 'resource_link', uri: 'https://example.com/c', name: 'c' },
      ],
    }),
  },
  structured: {
    outputSchema: { type: 'object', properties: { sum: { type: 'string' } } },
    run: () => ({ content: [], structuredContent: { sum: 3 } }),
  },
  slow: {
    run: (_args, { signal }) =>
      new Promise((resolve) => {
        begun += 1;
        signal.addEventListener('abort', () => {
          cancelled += 1;
          resolve(text('too late'));
        });
      }),
  },
  counts: { run: () => text(JSON.stringify({ begun, cancelled, waitingLists })) },
  long: { run: () => text('x'.repeat(300_000)) },
  environment: { run: () => text(JSON.stringify({ names: Object.keys(process.env), pid: process.pid })) },
  headers: { run: (_args, { requestInfo }) => text(JSON.stringify(requestInfo?.headers ?? {})) },
  crash: { run: () => process.exit(1) },
  learn: {
    run: ({ name, chars = 0 }) => {
      extra.push({ name, inputSchema: { ...NO_ARGUMENTS, description: 'x'.repeat(chars) } });
      for (const server of servers) void server.sendToolListChanged().catch(() => undefined);
      return text('learned');
    },
  },
  hold_lists: {
    run: () => {
      gate = Promise.withResolvers();
      return text('held');
    },
  },
  release_lists: {
    run: () => {
      gate.resolve();
      gate = undefined;
      return text('released');
    },
  },
  'odd.name': { run: () => text('odd') },
  broken_schema: {
    inputSchema: { type: 'object', properties: { a: { type: 'nonsense' } } },
    run: () => text(''),
  },
};

function listed() {
  const known = Object.entries(tools).map(([name, { inputSchema = NO_ARGUMENTS, outputSchema }]) => ({
    name,
    description: `Does ${name}.`,
    inputSchema,
    outputSchema,
  }));
  return [...known, ...extra.map((tool) => ({ ...tool, description: 'New.' }))];
}

function made() {
  const server = new Server(
    { name: 'test', version: '1' },
    { capabilities: { tools: { listChanged: true } } },
  );
  server.setRequestHandler(ListToolsRequestSchema, async ({ params }) => {
    const all = listed();
    // Two pages.
    if (!params?.cursor) return { tools: all.slice(0, 5), nextCursor: 'more' };
    if (gate) waitingLists += 1;
    await gate?.promise;
    return { tools: all.slice(5) };
  });
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, info) =>
    extra.some(({ name }) => name === params.name)
      ? text('new')
      : await tools[params.name].run(params.arguments ?? {}, info),
  );
  servers.add(server);
  server.onclose = () => servers.delete(server);
  return server;
}

async function speakOnStreams() {
  process.stderr.write(`started with ${process.env.MCP_TEST_AUTHORIZATION ?? 'nothing'}\n`);
  await made().connect(new StdioServerTransport());
}

const sessions = new Map();
/** How many strangers are refused at once; the others wait until they are released. */
let refusals = Infinity;
const strangers = [];

function refuse(stranger) {
  stranger.writeHead(404).end('no such session');
}

/** What tests make it do. Answers with the number of sessions. */
function control(method, { pathname, searchParams }, response) {
  if (method === 'DELETE' && pathname === '/sessions') {
    sessions.clear();
    refusals = Number(searchParams.get('refusals') ?? Infinity);
  }
  if (method === 'DELETE' && pathname === '/strangers') {
    refusals = Infinity;
    strangers.splice(0).forEach(refuse);
  }
  response.end(String(sessions.size));
}

function speakOverHttp(port) {
  const answer = async (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    if (['/sessions', '/strangers'].includes(url.pathname)) {
      control(request.method, url, response);
      return;
    }
    if (request.url === '/redirect') {
      response.writeHead(307, { location: '/mcp' }).end();
      return;
    }
    if (request.url === '/away') {
      response.writeHead(307, { location: 'http://127.0.0.2:1/mcp' }).end();
      return;
    }
    if (request.url === '/closed' && request.headers.authorization !== 'Bearer open-sesame') {
      response.writeHead(401).end('no');
      return;
    }
    const id = request.headers['mcp-session-id'];
    if (id !== undefined && !sessions.has(id)) {
      refusals -= 1;
      if (refusals < 0) strangers.push(response);
      else refuse(response);
      return;
    }
    if (id !== undefined) {
      await sessions.get(id).handleRequest(request, response);
      return;
    }
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (session) => sessions.set(session, transport),
    });
    await made().connect(transport);
    await transport.handleRequest(request, response);
  };
  const http = createServer((request, response) => void answer(request, response));
  http.listen(port, '127.0.0.1', () => process.stdout.write(`listening on ${http.address().port}\n`));
}

const [, , port] = process.argv;
if (port === undefined) await speakOnStreams();
else speakOverHttp(Number(port));
