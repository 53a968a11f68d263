import { OwnerServers } from '../../../src/tools/mcp/owner-servers.service';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { eventually } from '../../support/eventually';
import { type McpNode, newCaller, startMcpNode } from '../../support/mcp/mcp-node';
import { McpHttpServer } from '../../support/mcp/mcp-server';

const OLD_KEY = 'an-older-secret-for-tests-0123456789';
const NEW_KEY = 'a-newer-secret-for-tests-01234567890';

describe(OwnerServers.name, () => {
  let http: McpHttpServer;
  let database: TestDatabase;
  let first: McpNode;
  let second: McpNode;
  const nodes: McpNode[] = [];

  const start = async (env: NodeJS.ProcessEnv = {}): Promise<McpNode> => {
    const node = await startMcpNode(database.url, {
      OUTBOUND_ALLOWED_HOSTS: `127.0.0.1:${http.port}`,
      ...env,
    });
    nodes.push(node);
    return node;
  };
  const wiki = (more: object = {}) => ({ name: 'wiki', url: http.url, headers: {}, ...more });
  const until = (isTrue: () => boolean) => eventually(() => Promise.resolve(isTrue() || undefined));

  beforeAll(async () => {
    [http, database] = await Promise.all([McpHttpServer.start(), createTestDatabase()]);
    first = await start();
    second = await start();
  });

  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await database.drop();
    await http.kill();
  });

  it('connects when the owner first looks for tools, in every process', async () => {
    const owner = await newCaller(first.database);
    const server = await first.servers.create(owner, wiki());
    expect(first.owners.stateOf(server).state).toBe('idle');
    expect(first.knownOf(owner)).toEqual([]);
    expect(await first.toolsOf(owner)).toContain('mcp_wiki_echo');
    expect(first.owners.stateOf(server)).toMatchObject({ state: 'connected', unavailableReason: undefined });
    expect(second.owners.stateOf(server).state).toBe('idle');
    expect(await second.toolsOf(owner)).toContain('mcp_wiki_echo');
  });

  it('lets all wait who look for tools while they are first read', async () => {
    const owner = await newCaller(first.database);
    await first.servers.create(owner, wiki());
    const seen = await Promise.all([first.toolsOf(owner), first.toolsOf(owner), first.toolsOf(owner)]);
    expect(seen.map((names) => names.includes('mcp_wiki_echo'))).toEqual([true, true, true]);
  });

  it('lets those wait who look for tools while a change is read', async () => {
    const owner = await newCaller(first.database);
    expect(await first.toolsOf(owner)).toEqual([]);
    await second.servers.create(owner, wiki());
    const [, seen] = await Promise.all([first.owners.changed(owner.principal.userId), first.toolsOf(owner)]);
    expect(seen).toContain('mcp_wiki_echo');
  });

  it('reads again when it could not', async () => {
    const owner = await newCaller(first.database);
    await first.servers.create(owner, wiki());
    await first.database.query('alter table mcp_servers rename to mcp_servers_away');
    expect(await first.toolsOf(owner)).toEqual([]);
    await first.database.query('alter table mcp_servers_away rename to mcp_servers');
    expect(await first.toolsOf(owner)).toContain('mcp_wiki_echo');
  });

  it('shows nobody the tools of another', async () => {
    const [owner, other] = [await newCaller(first.database), await newCaller(first.database)];
    await first.servers.create(owner, wiki());
    expect(await first.toolsOf(owner)).not.toEqual([]);
    expect(await first.toolsOf(other)).toEqual([]);
  });

  it('lets two owners have servers of the same name', async () => {
    const [owner, other] = [await newCaller(first.database), await newCaller(first.database)];
    await first.servers.create(owner, wiki());
    await first.servers.create(other, wiki());
    expect(await first.toolsOf(owner)).toEqual(await first.toolsOf(other));
    expect(await first.toolsOf(owner)).toContain('mcp_wiki_echo');
  });

  it('follows what another process changes', async () => {
    const owner = await newCaller(first.database);
    const server = await first.servers.create(owner, wiki());
    const apiId = `mcp_${server.id.replaceAll('-', '')}`;
    await second.toolsOf(owner);
    await first.servers.update(owner, apiId, { name: 'pages' });
    await until(() => second.knownOf(owner).includes('mcp_pages_echo'));
    expect(second.knownOf(owner)).not.toContain('mcp_wiki_echo');
    await first.servers.remove(owner, apiId);
    await until(() => second.knownOf(owner).length === 0);
  });

  it('knows what this process changed as soon as it is answered', async () => {
    const owner = await newCaller(first.database);
    const server = await first.servers.create(owner, wiki());
    await first.toolsOf(owner);
    await first.servers.remove(owner, `mcp_${server.id.replaceAll('-', '')}`);
    expect(first.knownOf(owner)).toEqual([]);
  });

  it('lets a server that is away stop no other, and says why', async () => {
    const owner = await newCaller(first.database);
    await first.servers.create(owner, wiki());
    const away = await first.servers.create(owner, wiki({ name: 'away', url: http.at('closed') }));
    expect(await first.toolsOf(owner)).toContain('mcp_wiki_echo');
    expect(first.owners.stateOf(away)).toEqual({
      state: 'unavailable',
      unavailableReason: 'it refused the credentials (HTTP 401)',
      tools: [],
    });
  });

  it('asks the rule for URLs again at every connection', async () => {
    const strict = await start({ OUTBOUND_ALLOWED_HOSTS: '' });
    const owner = await newCaller(first.database);
    const server = await first.servers.create(owner, wiki());
    expect(await strict.toolsOf(owner)).toEqual([]);
    expect(strict.owners.stateOf(server).unavailableReason).toMatch(
      /^The URL is not allowed: the host is not a public/,
    );
  });

  it('closes what nobody uses, and connects again when somebody does', async () => {
    const owner = await newCaller(first.database);
    const server = await first.servers.create(owner, wiki());
    await first.toolsOf(owner);
    await first.owners.letGo(Date.now() - 60_000);
    expect(first.owners.stateOf(server).state).toBe('connected');
    await first.owners.letGo(Date.now() + 1);
    expect(first.owners.stateOf(server).state).toBe('idle');
    expect(first.knownOf(owner)).toEqual([]);
    expect(await first.toolsOf(owner)).toContain('mcp_wiki_echo');
  });

  it('does not look for servers when no such tool is wanted', async () => {
    const owner = await newCaller(first.database);
    const server = await first.servers.create(owner, wiki());
    await first.owners.ready(owner, ['current_time']);
    expect(first.owners.stateOf(server).state).toBe('idle');
    await first.owners.ready(owner, ['current_time', 'mcp_wiki_echo']);
    expect(first.owners.stateOf(server).state).toBe('connected');
  });

  it('keeps headers through a change of the secret key, and says when they are lost', async () => {
    const old = await start({ LATTICE_SECRET_KEY: OLD_KEY });
    const owner = await newCaller(old.database);
    const headers = { Authorization: 'Bearer open-sesame' };
    const server = await old.servers.create(owner, wiki({ url: http.at('closed'), headers }));
    expect(await old.toolsOf(owner)).toContain('mcp_wiki_echo');
    const [row] = await old.database.query<{ sealed: Buffer }[]>(
      'select sealed from mcp_servers where id = $1',
      [server.id],
    );
    expect(row?.sealed.includes('sesame')).toBe(false);

    const lost = await start({ LATTICE_SECRET_KEY: NEW_KEY });
    expect(await lost.toolsOf(owner)).toEqual([]);
    expect(lost.owners.stateOf(server).unavailableReason).toContain('its headers cannot be opened');

    const rotated = await start({ LATTICE_SECRET_KEY: NEW_KEY, LATTICE_PREVIOUS_SECRET_KEYS: OLD_KEY });
    expect(await rotated.toolsOf(owner)).toContain('mcp_wiki_echo');
    // At the start everything is sealed anew, so the previous key can be given up.
    const after = await eventually(async () => {
      const [access] = await lost.stored.accessOf(owner.principal.userId);
      return access?.headers;
    });
    expect(after).toEqual(headers);
  });
});
