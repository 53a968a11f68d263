import { Logger } from '@nestjs/common';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { McpServers } from '../../../src/config/index';
import { AttachedServer } from '../../../src/tools/mcp/attached-server';
import { eventually } from '../../support/eventually';
import { type Attached, attach } from '../../support/mcp/attach';
import { MCP_PROGRAM, McpHttpServer } from '../../support/mcp/mcp-server';

const program = (more: object = {}): McpServers => ({
  wiki: { command: [process.execPath, MCP_PROGRAM], env: [], cwd: __dirname, timeoutMs: 5000, ...more },
});
const isAlive = (pid: number): boolean => {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] !== 'Z';
};

describe(AttachedServer.name, () => {
  let http: McpHttpServer;
  let attached: Attached | undefined;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    http = await McpHttpServer.start();
  });

  afterEach(async () => {
    await attached?.close();
    attached = undefined;
  });

  afterAll(() => http.kill());

  const overHttp = (place = 'mcp', more: object = {}): McpServers => ({
    wiki: { url: http.at(place), headers: {}, timeoutMs: 5000, ...more },
  });
  const open = async (servers: McpServers, env?: NodeJS.ProcessEnv) =>
    (attached = await attach(servers, env));
  const names = () => attached?.registry.list().map(({ name }) => name) ?? [];
  const states = () => attached?.registry.states() ?? [];
  const counts = async () =>
    JSON.parse((await attached?.call('mcp_wiki_counts'))?.content ?? '') as {
      begun: number;
      cancelled: number;
      waitingLists: number;
    };
  const pidOf = async (): Promise<number> => {
    const { content } = (await attached?.call('mcp_wiki_environment')) ?? { content: '{}' };
    return (JSON.parse(content) as { pid: number }).pid;
  };

  describe.each([
    ['a program', () => program()],
    ['a URL', () => overHttp()],
  ])('with %s', (_kind, servers) => {
    it('shows all its tools, of every page', async () => {
      await open(servers());
      expect(names()).toEqual(expect.arrayContaining(['mcp_wiki_echo', 'mcp_wiki_learn', 'mcp_wiki_slow']));
      expect(names().filter((name) => /^mcp_wiki_odd_name_[0-9a-f]{8}$/.test(name))).toHaveLength(1);
      expect(attached?.registry.find('mcp_wiki_echo')).toMatchObject({
        description: 'Does echo.',
        parameters: { type: 'object', required: ['text'] },
      });
    });

    it('lists a broken tool as not available, and it stops no other', async () => {
      await open(servers());
      expect(states().filter(({ unavailableReason }) => unavailableReason !== undefined)).toEqual([
        expect.objectContaining({
          name: 'mcp_wiki_broken_schema',
          unavailableReason: expect.stringContaining('the schema of its arguments is not valid'),
        }),
      ]);
    });

    it('calls them', async () => {
      const { call } = await open(servers());
      expect(await call('mcp_wiki_echo', { text: 'hello' })).toEqual({ ok: true, content: 'hello' });
      expect((await call('mcp_wiki_echo', {})).content).toBe('Error: arguments.text is required');
      expect(await call('mcp_wiki_fail')).toEqual({
        ok: false,
        content: 'Error: the wiki is closed until Monday',
      });
      expect((await call('mcp_wiki_refuse')).content).toContain('not today');
      expect((await call('mcp_wiki_picture')).content).toBe(
        'Look:\n[image, image/png, 300 bytes]\n[file:///a.txt]\ninside\n[file:///b.bin, x/y, 7 bytes]\n[link to c: https://example.com/c]',
      );
      expect((await call('mcp_wiki_structured')).content).toBe('{"sum":3}');
      expect((await call('mcp_wiki_long')).content).toMatch(/^x+\n\[cut: 300000 bytes in all\]$/);
    });

    it('tells the server when a call is cancelled, and when it takes too long', async () => {
      await open(servers());
      const before = await counts();
      const controller = new AbortController();
      const calling = attached?.call('mcp_wiki_slow', {}, controller.signal);
      await eventually(async () => (await counts()).begun > before.begun || undefined);
      controller.abort();
      expect((await calling)?.content).toBe('Error: the call was cancelled');
      await eventually(async () => (await counts()).cancelled === before.cancelled + 1 || undefined);
      await attached?.close();
      const [[name, settings] = ['', undefined]] = Object.entries(servers());
      await open({ [name]: { ...settings, timeoutMs: 200 } } as McpServers);
      expect((await attached?.call('mcp_wiki_slow'))?.content).toBe(
        'Error: mcp_wiki_slow did not finish within 200 ms',
      );
      expect(attached?.server.connection.unavailableReason).toBeUndefined();
    });

    it('shows a tool that comes later', async () => {
      const { call } = await open(servers());
      const name = `later_${Math.round(performance.now())}`;
      expect((await call('mcp_wiki_learn', { name })).ok).toBe(true);
      await eventually(() => Promise.resolve(names().includes(`mcp_wiki_${name}`) || undefined));
      expect(await call(`mcp_wiki_${name}`)).toEqual({ ok: true, content: 'new' });
    });

    it('takes over only what is allowed', async () => {
      const [[name, settings] = ['', undefined]] = Object.entries(servers());
      await open({ [name]: { ...settings, tools: ['echo', 'gone'] } } as McpServers);
      expect(states().map((tool) => tool.name)).toEqual(['mcp_wiki_echo']);
    });

    it('takes its tools away when it is detached', async () => {
      const { server } = await open(servers());
      await server.detach();
      expect(states()).toEqual([]);
    });
  });

  describe('that goes away', () => {
    it('starts a program again after a crash', async () => {
      const { call } = await open(program());
      const first = await pidOf();
      const { ok, content } = await call('mcp_wiki_crash');
      expect([ok, content]).toEqual([false, 'Error: The server of the tool failed: it ended the connection']);
      expect(states().map((tool) => tool.unavailableReason)).toContain(
        'the MCP server "wiki" is away: it ended the connection',
      );
      await eventually(() => Promise.resolve(names().includes('mcp_wiki_echo') || undefined));
      expect(await pidOf()).not.toBe(first);
    });

    it('finds a server again that was started anew', async () => {
      const own = await McpHttpServer.start();
      try {
        const { call } = await open({ wiki: { url: own.url, headers: {}, timeoutMs: 5000 } });
        await own.kill();
        await eventually(() => Promise.resolve(names().length === 0 || undefined));
        expect(states().find(({ name }) => name === 'mcp_wiki_echo')?.unavailableReason).toMatch(
          / is away: /,
        );
        await own.start();
        await eventually(() => Promise.resolve(names().includes('mcp_wiki_echo') || undefined));
        expect((await call('mcp_wiki_echo', { text: 'again' })).content).toBe('again');
      } finally {
        await own.kill();
      }
    });

    it('begins anew within one call when the server has forgotten it', async () => {
      const { call } = await open(overHttp());
      await http.forget();
      expect((await call('mcp_wiki_echo', { text: 'still' })).content).toBe('still');
    });

    it('begins anew once for all calls that are refused because it has forgotten it', async () => {
      const { call } = await open(overHttp());
      await http.forget(1);
      const calls = ['one', 'two'].map((text) => call('mcp_wiki_echo', { text }));
      expect((await Promise.race(calls)).ok).toBe(true);
      const before = await counts();
      const controller = new AbortController();
      const slow = call('mcp_wiki_slow', {}, controller.signal);
      await eventually(async () => (await counts()).begun > before.begun || undefined);
      // The other call is refused only now, and ends nothing that goes over the new connection.
      await http.release();
      expect(await Promise.all(calls)).toEqual([
        { ok: true, content: 'one' },
        { ok: true, content: 'two' },
      ]);
      expect(await http.sessions()).toBe(1);
      controller.abort();
      expect((await slow).content).toBe('Error: the call was cancelled');
    });

    it('lets a call go on that it answers though it has forgotten the connection', async () => {
      const { call } = await open(overHttp());
      const before = await counts();
      const controllers = [new AbortController(), new AbortController()] as const;
      const [long, short] = controllers.map(({ signal }) => call('mcp_wiki_slow', {}, signal));
      await eventually(async () => (await counts()).begun === before.begun + 2 || undefined);
      await http.forget();
      // That the server is told of it shows that it has forgotten, and the connection is made anew.
      controllers[1].abort();
      await short;
      await eventually(async () => (await http.sessions()) === 1 || undefined);
      controllers[0].abort();
      expect((await long)?.content).toBe('Error: the call was cancelled');
    });

    it.each([
      ['a program that is not there', { command: ['/no/such/program'] }, 'it could not be reached (ENOENT)'],
      [
        'a program that speaks no MCP',
        { command: [process.execPath, '-e', 'console.log("hi")'] },
        'it ended the connection',
      ],
    ])('says why it cannot use %s', async (_kind, more, reason) => {
      await open(program(more));
      expect(states()).toEqual([
        expect.objectContaining({
          name: 'mcp_wiki',
          unavailableReason: `the MCP server "wiki" is away: ${reason}`,
        }),
      ]);
      expect(attached?.registry.find('mcp_wiki')).toBeUndefined();
    });

    it.each([
      ['nobody', 'http://127.0.0.1:1/mcp', 'it could not be reached (ECONNREFUSED)'],
      ['closed doors', 'closed', 'it refused the credentials (HTTP 401)'],
      ['another host', 'away', 'it redirects to another host, which is not followed'],
    ])('says why it cannot use a URL: %s', async (_kind, place, reason) => {
      const url = place.startsWith('http') ? place : http.at(place);
      await open({ wiki: { url, headers: {}, timeoutMs: 5000 } });
      expect(attached?.server.connection.unavailableReason).toBe(reason);
    });
  });

  it('lists its tools again when they change during a listing', async () => {
    // All that a program says comes in one order, so the second notice comes before the listing ends.
    const { call } = await open(program());
    await call('mcp_wiki_hold_lists');
    await call('mcp_wiki_learn', { name: 'early' });
    await eventually(async () => (await counts()).waitingLists === 1 || undefined);
    await call('mcp_wiki_learn', { name: 'late' });
    await call('mcp_wiki_release_lists');
    await eventually(() => Promise.resolve(names().includes('mcp_wiki_late') || undefined));
    expect(names()).toContain('mcp_wiki_early');
  });

  it('takes over no more than a mebibyte of tools, and lists the others as not available', async () => {
    const { call } = await open(program());
    const large = Array.from({ length: 18 }, (_, index) => `large_${index}`);
    for (const name of large) await call('mcp_wiki_learn', { name, chars: 60_000 });
    await call('mcp_wiki_learn', { name: 'small' });
    await eventually(() => Promise.resolve(names().includes('mcp_wiki_small') || undefined));
    expect(
      states().filter(({ name }) => name.startsWith('mcp_wiki_large') && !names().includes(name)),
    ).toEqual([
      expect.objectContaining({
        name: 'mcp_wiki_large_17',
        unavailableReason: 'the tools of its server have more than 1048576 characters together',
      }),
    ]);
    expect(names()).toEqual(expect.arrayContaining(['mcp_wiki_echo', 'mcp_wiki_large_16']));
  });

  it('follows a redirect of the same host', async () => {
    await open(overHttp('redirect'));
    expect((await attached?.call('mcp_wiki_echo', { text: 'there' }))?.content).toBe('there');
  });

  describe('and secrets', () => {
    beforeAll(() => (process.env.MCP_TEST_AUTHORIZATION = 'Bearer open-sesame'));
    afterAll(() => delete process.env.MCP_TEST_AUTHORIZATION);

    it('logs what a program says of itself without them', async () => {
      const debug = jest.spyOn(Logger.prototype, 'debug');
      await open(program({ env: ['MCP_TEST_AUTHORIZATION'] }));
      expect(debug.mock.calls).toEqual([['wiki: started with [redacted]']]);
    });

    it('gives a program the named variables and no other', async () => {
      await open(program({ env: ['MCP_TEST_AUTHORIZATION', 'NOT_SET'] }));
      const { content } = (await attached?.call('mcp_wiki_environment')) ?? { content: '' };
      const { names: given } = JSON.parse(content) as { names: string[] };
      const usual = ['HOME', 'LANG', 'PATH', 'TMPDIR'];
      expect(given.filter((name) => !usual.includes(name))).toEqual(['MCP_TEST_AUTHORIZATION']);
    });

    it('sends a URL the headers that variables hold', async () => {
      await open(overHttp('closed', { headers: { authorization: 'MCP_TEST_AUTHORIZATION' } }));
      const { content } = (await attached?.call('mcp_wiki_headers')) ?? { content: '{}' };
      expect(JSON.parse(content)).toMatchObject({ authorization: 'Bearer open-sesame' });
    });

    it('names the variable that is not set', async () => {
      await open(overHttp('closed', { headers: { authorization: 'MCP_TEST_MISSING' } }));
      expect(attached?.server.connection.unavailableReason).toBe('the variable MCP_TEST_MISSING is not set');
    });
  });

  describe('leaves no program behind', () => {
    it('when it is detached, however deaf it is', async () => {
      // It hears no signal and no end of its input, and so does what it starts.
      const deaf = `trap '' TERM; sleep 600 & exec ${process.execPath} -e "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); import('${MCP_PROGRAM}')"`;
      const { server } = await open(program({ command: ['/bin/sh', '-c', deaf] }));
      const pid = await pidOf();
      expect(isAlive(pid)).toBe(true);
      await server.detach();
      expect(isAlive(pid)).toBe(false);
      expect(groupOf(pid)).toEqual([]);
    });

    it('when the process is killed', async () => {
      const main = path.join(__dirname, '..', '..', 'support', 'mcp', 'dying-process-main.ts');
      const child = spawn(process.execPath, ['-r', '@swc-node/register', main], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const [printed] = (await once(child.stdout, 'data')) as [Buffer];
      const pid = Number(printed.toString());
      expect(isAlive(pid)).toBe(true);
      child.kill('SIGKILL');
      await once(child, 'exit');
      await eventually(() => Promise.resolve(groupOf(pid).length === 0 || undefined), 10_000);
    });
  });
});

/** Processes of a group that are alive. */
function groupOf(group: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const [state, , pgrp] = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? '').split(' ');
        return Number(pgrp) === group && state !== 'Z';
      } catch {
        return false;
      }
    });
}
