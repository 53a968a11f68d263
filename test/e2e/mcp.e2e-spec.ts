import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type OpenAI from 'openai';
import { type Account, startApp, type TestApp } from '../support/app';
import { type Collection, collection } from '../support/collection';
import { eventually } from '../support/eventually';
import { MCP_PROGRAM, McpHttpServer } from '../support/mcp/mcp-server';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const ROUTE = '/api/v1/mcp-servers';
const TOKEN = 'Bearer open-sesame';

interface Server {
  readonly id: string;
  readonly url: string;
  readonly state: string;
  readonly unavailableReason: string | null;
  readonly tools: string[];
  readonly headerNames: string[];
}
interface ListedTool {
  readonly name: string;
  readonly isAvailable: boolean;
  readonly unavailableReason: string | null;
}

describe('tools of MCP servers', () => {
  let truth: TruthProvider;
  let http: McpHttpServer;
  let app: TestApp;
  let configDir: string;
  let ada: Account;
  let bob: Account;
  let own: Collection<Server>;

  beforeAll(async () => {
    [truth, http] = await Promise.all([startTruthProvider(), McpHttpServer.start()]);
    configDir = mkdtempSync(path.join(tmpdir(), 'lattice-mcp-'));
    const program = `command: [${JSON.stringify(process.execPath)}, ${JSON.stringify(MCP_PROGRAM)}], tools: [echo]`;
    const servers = `  files: { ${program} }\n  broken: { command: [/no/such/program] }\n`;
    writeFileSync(path.join(configDir, 'mcp.yaml'), `servers:\n${servers}`);
    app = await startApp({
      OPENAI_BASE_URL: truth.url,
      LATTICE_CONFIG_DIR: configDir,
      OUTBOUND_ALLOWED_HOSTS: `127.0.0.1:${http.port}`,
    });
    [ada, bob] = [await app.register(), await app.register()];
    own = collection<Server>(app, ROUTE, ada.accessToken);
  });

  afterEach(async () => {
    await truth.clearScripts();
    for (const { id } of (await own.list()).body.data) await own.remove(id);
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
    await http.kill();
    rmSync(configDir, { recursive: true });
  });

  const toolsOf = async (account: Account): Promise<ListedTool[]> =>
    (await app.call<{ data: ListedTool[] }>('GET', '/api/v1/tools', { credential: account.accessToken })).body
      .data;

  /** A chat in which the model calls the tool once; what the model was given as its result. */
  async function resultOf(account: Account, tool: string, args: object = {}): Promise<string> {
    await truth.script({
      toolRounds: 1,
      toolCalls: [{ name: tool, arguments: args }],
      answer: 'Done.',
      times: 2,
    });
    const answer = await app.chat<OpenAI.ChatCompletion>(account.key, { lattice: { tools: [tool] } });
    expect([answer.status, answer.body.choices?.[0]?.message.content]).toEqual([200, 'Done.']);
    const messages = (await truth.attempts()).at(-1)?.body.messages as { content: string }[];
    return messages.at(-1)?.content ?? '';
  }

  describe('that the administrator has set up', () => {
    it('are everybody’s, and a broken server stops no other', async () => {
      const wanted = await eventually(async () => {
        const found = (await toolsOf(bob)).filter(({ name }) => name.startsWith('mcp_'));
        return found.some(({ name }) => name === 'mcp_files_echo') ? found : undefined;
      }, 15_000);
      expect(wanted).toEqual([
        expect.objectContaining({
          name: 'mcp_broken',
          isAvailable: false,
          unavailableReason: 'the MCP server "broken" is away: it could not be reached (ENOENT)',
        }),
        expect.objectContaining({ name: 'mcp_files_echo', isAvailable: true }),
      ]);
      expect(await resultOf(bob, 'mcp_files_echo', { text: 'from the program' })).toBe('from the program');
    });

    it('keep their name to themselves', async () => {
      const taken = await own.post({ name: 'files', url: http.url });
      expect([taken.status, taken.body.error.param]).toEqual([409, 'name']);
    });
  });

  describe('of a user', () => {
    it('are called by a model, with the headers that were stored', async () => {
      const made = await own.post({
        name: 'wiki',
        url: http.at('closed'),
        headers: { Authorization: TOKEN },
      });
      expect([made.status, made.body.state, made.body.headerNames]).toEqual([201, 'idle', ['Authorization']]);
      expect(await resultOf(ada, 'mcp_wiki_echo', { text: 'hello' })).toBe('hello');
      expect(JSON.parse(await resultOf(ada, 'mcp_wiki_headers'))).toMatchObject({ authorization: TOKEN });
      expect(await resultOf(ada, 'mcp_wiki_fail')).toBe('Error: the wiki is closed until Monday');
      const { body } = await own.get(made.body.id);
      expect(body).toMatchObject({ state: 'connected', unavailableReason: null });
      expect(body.tools).toContain('mcp_wiki_echo');
    });

    it('never show a header again', async () => {
      const made = await own.post({ name: 'wiki', url: http.url, headers: { 'x-key': TOKEN } });
      const answers = [
        made,
        await own.get(made.body.id),
        await own.list(),
        await own.patch(made.body.id, { name: 'b' }),
      ];
      for (const { text } of answers) expect(text).not.toContain('sesame');
      const audit = await app.call('GET', '/api/v1/audit?limit=200', { credential: app.admin.accessToken });
      expect(audit.text).toContain('mcp_server.update');
      expect(audit.text).not.toContain('sesame');
    });

    it('are nobody else’s', async () => {
      const { body: made } = await own.post({ name: 'wiki', url: `${http.url}?secret=1` });
      await own.get(made.id);
      expect((await toolsOf(bob)).map(({ name }) => name)).not.toContain('mcp_wiki_echo');
      const chat = await app.chat(bob.key, { lattice: { tools: ['mcp_wiki_echo'] } });
      expect([chat.status, chat.text]).toEqual([400, expect.stringContaining('There is no tool')]);
      const others = collection<Server>(app, ROUTE, bob.accessToken);
      expect((await others.list()).body.data).toEqual([]);
      for (const answer of [
        await others.get(made.id),
        await others.patch(made.id, { name: 'b' }),
        await others.remove(made.id),
      ]) {
        expect(answer.status).toBe(404);
      }
      const admins = collection<Server>(app, ROUTE, app.admin.accessToken);
      expect((await admins.get(made.id)).body.url).toBe(new URL(http.url).origin);
      expect((await admins.patch(made.id, { name: 'b' })).status).toBe(404);
      expect((await admins.remove(made.id)).status).toBe(204);
      expect((await toolsOf(ada)).map(({ name }) => name)).not.toContain('mcp_wiki_echo');
    });

    it('can be given to an agent of the owner’s', async () => {
      await own.post({ name: 'wiki', url: http.url });
      const agent = { type: 'searcher', description: 'Searches.', model: 'auto', tools: ['mcp_wiki_echo'] };
      const make = (credential: string) => app.call('POST', '/api/v1/agents', { body: agent, credential });
      expect((await make(bob.accessToken)).status).toBe(400);
      expect((await make(ada.accessToken)).status).toBe(201);
    });

    it('say why they cannot be used', async () => {
      const { body: made } = await own.post({ name: 'wiki', url: http.at('closed') });
      const { body } = await own.get(made.id);
      expect(body).toMatchObject({
        state: 'unavailable',
        unavailableReason: 'it refused the credentials (HTTP 401)',
      });
      const chat = await app.chat(ada.key, { lattice: { tools: ['mcp_wiki'] } });
      expect([chat.status, chat.text]).toEqual([400, expect.stringContaining('it refused the credentials')]);
    });

    it('need names and URLs that can be used', async () => {
      const refused = async (body: object) => {
        const { status, body: answer } = await own.post(body);
        return [status, answer.error.code, answer.error.param];
      };
      for (const url of [
        'http://127.0.0.1:1/mcp',
        'https://127.0.0.1/mcp',
        'https://2130706433/mcp',
        'http://169.254.169.254/latest/meta-data',
        'https://[::1]/mcp',
        'https://localhost/mcp',
        'https://10.0.0.1/mcp',
        'file:///etc/passwd',
        'https://user:pass@example.com/mcp',
      ]) {
        expect([url, ...(await refused({ name: 'wiki', url }))]).toEqual([
          url,
          400,
          'URL_NOT_ALLOWED',
          'url',
        ]);
      }
      const url = 'https://example.com/mcp';
      for (const name of ['', 'a_b', 'A', '-a', 'a-', 'x'.repeat(33), null]) {
        expect((await refused({ name, url }))[0]).toBe(400);
      }
      for (const headers of [{ host: 'x' }, { 'a b': 'c' }, { a: 'b\nc' }, { a: 1 }, [], 'a: b', null]) {
        expect((await refused({ name: 'wiki', url, headers }))[0]).toBe(400);
      }
    });

    it('are changed by their owner only as far as stored headers stay where they were meant for', async () => {
      const { body: made } = await own.post({ name: 'wiki', url: http.url, headers: { 'x-key': TOKEN } });
      await own.post({ name: 'other', url: http.url });
      expect((await own.patch(made.id, { name: 'other' })).status).toBe(409);
      expect((await own.patch(made.id, { url: 'https://127.0.0.1/mcp' })).body.error.code).toBe(
        'URL_NOT_ALLOWED',
      );
      const moved = await own.patch(made.id, { url: 'https://example.com/mcp' });
      expect([moved.status, moved.body.error.param]).toEqual([400, 'headers']);
      expect((await own.patch(made.id, { url: `${http.url}?v=2` })).body.headerNames).toEqual(['x-key']);
      const emptied = await own.patch(made.id, { url: 'https://example.com/mcp', headers: {} });
      expect(emptied.body).toMatchObject({ url: 'https://example.com/mcp', headerNames: [] });
    });

    it('are twenty at most', async () => {
      for (let index = 0; index < 20; index += 1) {
        expect((await own.post({ name: `s${index}`, url: 'https://example.com/mcp' })).status).toBe(201);
      }
      expect((await own.post({ name: 'more', url: 'https://example.com/mcp' })).status).toBe(409);
      const page = await own.list('?limit=15');
      const rest = await own.list(`?limit=15&cursor=${encodeURIComponent(page.body.nextCursor ?? '')}`);
      expect([page.body.data.length, rest.body.data.length, rest.body.nextCursor]).toEqual([15, 5, null]);
    });
  });
});
