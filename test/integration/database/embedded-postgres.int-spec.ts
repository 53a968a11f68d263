import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { EmbeddedPostgres } from '../../../src/database/index';
import { ClusterFolder } from '../../../src/database/embedded-postgres/cluster-folder';
import { findPostmaster } from '../../../src/database/embedded-postgres/postmaster';
import { UserNamespace } from '../../../src/database/embedded-postgres/identity';
import { type ScriptProcess, spawnScript } from '../../support/database/spawn-script';

interface Attached {
  readonly url: string;
  readonly pid: number;
  readonly isAdopted: boolean;
}

const itOnLinux = process.platform === 'linux' ? it : it.skip;
const itAsRoot = process.getuid?.() === 0 ? it : it.skip;

describe(EmbeddedPostgres.name, () => {
  let base: string;
  let folder: string;
  const servers: number[] = [];
  const scripts: ScriptProcess[] = [];

  beforeEach(() => {
    base = mkdtempSync(path.join(os.tmpdir(), 'lattice-embedded-'));
    chmodSync(base, 0o755);
    folder = path.join(base, 'postgres');
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    for (const { child } of scripts.splice(0)) child.kill('SIGKILL');
    for (const pid of servers.splice(0)) await end(pid, 'SIGQUIT');
    rmSync(base, { recursive: true, force: true });
  });

  async function start(): Promise<EmbeddedPostgres> {
    const server = await EmbeddedPostgres.start({ folder, fast: true });
    servers.push(server.pid);
    return server;
  }

  function startElsewhere(): { script: ScriptProcess; attached: Promise<Attached> } {
    const script = spawnScript('attached-process.ts', [folder]);
    scripts.push(script);
    const attached = script.firstLine.then((line) => JSON.parse(line) as Attached);
    return { script, attached: attached.then((value) => (servers.push(value.pid), value)) };
  }

  const refusal = () =>
    EmbeddedPostgres.start({ folder, fast: true }).then(
      String,
      (error: Error) => `${error.name}: ${error.message}`,
    );

  describe('start', () => {
    it('makes a UTF-8 cluster with a password of its own, without our environment', async () => {
      process.env.LATTICE_TEST_SECRET = 'not for postgres';
      const server = await start();
      delete process.env.LATTICE_TEST_SECRET;
      expect(server.isAdopted).toBe(false);
      expect(await ask(server.url, 'SHOW server_encoding')).toBe('UTF8');
      expect(
        await ask(server.url, `SELECT upper('äж') || (to_tsvector('simple', 'ÄPFEL') @@ 'äpfel')::text`),
      ).toBe('ÄЖtrue');
      expect(statSync(path.join(folder, 'superuser.password')).mode & 0o777).toBe(0o600);
      expect(new URL(server.url).hostname).toBe('127.0.0.1');
      const wrong = server.url.replace(/:[^:@]+@/, ':wrong@');
      await expect(ask(wrong, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
      if (process.platform === 'linux') {
        expect(readFileSync(`/proc/${server.pid}/environ`, 'utf8')).not.toContain('not for postgres');
      }
      await server.stop();
    });

    it('attaches to a server that runs, and only the last to leave stops it', async () => {
      const first = await start();
      const second = await start();
      expect([second.isAdopted, second.pid, second.url]).toEqual([true, first.pid, first.url]);
      await first.stop();
      await first.stop();
      expect(await ask(second.url, 'SELECT 1')).toBe(1);
      await second.stop();
      expect(isRunning(second.pid)).toBe(false);
      expect(readdirSync(path.join(folder, 'attachments'))).toEqual([]);
    });

    it('keeps data, password and port over a restart', async () => {
      const before = await start();
      await ask(before.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
      await before.stop();
      const after = await start();
      expect(after.url).toBe(before.url);
      expect(await ask(after.url, 'SELECT answer FROM kept')).toBe(42);
      await after.stop();
    });

    it('adopts the server of a killed process, whose attachment then counts no more', async () => {
      const { script, attached } = startElsewhere();
      const { pid } = await attached;
      script.child.kill('SIGKILL');
      await script.exited;
      const server = await start();
      expect([server.isAdopted, server.pid]).toEqual([true, pid]);
      await server.stop();
      expect(isRunning(pid)).toBe(false);
    });

    it('lets one of two processes make the cluster and the other attach, and ends with the later one', async () => {
      const [one, other] = [startElsewhere(), startElsewhere()];
      const answers = await Promise.all([one.attached, other.attached]);
      expect(answers.filter((answer) => answer.isAdopted)).toHaveLength(1);
      expect(answers[0].url).toBe(answers[1].url);
      one.script.child.stdin.end();
      expect(await one.script.exited).toMatchObject({ code: 0 });
      expect(isRunning(answers[0].pid)).toBe(true);
      other.script.child.stdin.end();
      expect(await other.script.exited).toMatchObject({ code: 0 });
      expect(isRunning(answers[0].pid)).toBe(false);
    });

    it('recovers when process and server were killed', async () => {
      const killed = await EmbeddedPostgres.start({ folder });
      servers.push(killed.pid);
      await ask(killed.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
      await end(killed.pid, 'SIGKILL');
      const server = await start();
      expect([server.isAdopted, await ask(server.url, 'SELECT answer FROM kept')]).toEqual([false, 42]);
      await server.stop();
      await killed.stop();
    });

    it('does not take other programs for the server or for attached processes when their pid is reused', async () => {
      await (await start()).stop();
      writeFileSync(
        path.join(folder, 'data', 'postmaster.pid'),
        `${process.pid}\n${folder}/data\n0\n1\n\n127.0.0.1\n`,
      );
      writeFileSync(path.join(folder, 'attachments', `${process.pid}-999`), 'an earlier process');
      const server = await start();
      expect(await ask(server.url, 'SELECT 1')).toBe(1);
      await server.stop();
      expect(isRunning(server.pid)).toBe(false);
    });

    itOnLinux('attaches to its server although the folder was renamed meanwhile', async () => {
      const before = await start();
      await ask(before.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
      const moved = path.join(base, 'moved');
      renameSync(folder, moved);
      const server = await EmbeddedPostgres.start({ folder: moved, fast: true });
      expect([server.isAdopted, server.pid]).toEqual([true, before.pid]);
      expect(await ask(server.url, 'SELECT answer FROM kept')).toBe(42);
      await server.stop();
      expect(isRunning(before.pid)).toBe(true);
      renameSync(moved, folder);
      await before.stop();
      expect(isRunning(before.pid)).toBe(false);
    });

    itOnLinux('leaves a pid file alone whose pid is that of another PostgreSQL', async () => {
      const server = await start();
      const other = ClusterFolder.open(path.join(base, 'other'));
      mkdirSync(other.data);
      writeFileSync(other.pidFile, `${server.pid}\n${other.data}\n0\n1\n\n127.0.0.1\n`);
      expect(findPostmaster(other)).toBeUndefined();
      expect(readFileSync(other.pidFile, 'utf8')).toContain(String(server.pid));
      await server.stop();
    });

    it('takes another port when its own is in use', async () => {
      const first = await start();
      await first.stop();
      const squatter = createServer().listen(Number(new URL(first.url).port), '127.0.0.1');
      await once(squatter, 'listening');
      const server = await start();
      expect(new URL(server.url).port).not.toBe(new URL(first.url).port);
      await server.stop();
      squatter.close();
    });

    it('removes what a killed initdb left', async () => {
      mkdirSync(path.join(folder, 'init-123', 'base'), { recursive: true });
      await (await start()).stop();
      expect(readdirSync(folder)).not.toContain('init-123');
    });

    it('refuses data of another major version', async () => {
      mkdirSync(path.join(folder, 'data'), { recursive: true });
      writeFileSync(path.join(folder, 'data', 'PG_VERSION'), '12\n');
      const message = await refusal();
      expect(message).toMatch(/^ConfigurationError: .*PostgreSQL 12 .*DATABASE_URL/);
      expect(message).toContain(folder);
    });

    it('says so when the folder cannot be made or the password is gone', async () => {
      writeFileSync(folder, 'a file');
      expect(await refusal()).toMatch(/^ConfigurationError: .*DATA_DIR/);
      rmSync(folder);
      await (await start()).stop();
      rmSync(path.join(folder, 'superuser.password'));
      expect(await refusal()).toMatch(/^ConfigurationError: .*superuser\.password/);
    });
  });

  describe('as root', () => {
    itAsRoot('works below a folder that is closed to other users', async () => {
      chmodSync(base, 0o700);
      const server = await start();
      expect(await ask(server.url, 'SELECT 1')).toBe(1);
      expect(statSync(path.join(folder, 'data')).uid).toBe(0);
      await server.stop();
    });

    itAsRoot(
      'runs as a service user where user namespaces are forbidden, and stays with that user',
      async () => {
        const namespace = jest.spyOn(UserNamespace.prototype, 'run').mockReturnValue(undefined);
        await (await start()).stop();
        const owner = statSync(path.join(folder, 'data')).uid;
        expect(owner).not.toBe(0);
        namespace.mockRestore();
        const server = await start();
        expect(await ask(server.url, 'SELECT 1')).toBe(1);
        expect(statSync(path.join(folder, 'data')).uid).toBe(owner);
        await server.stop();
      },
    );

    itAsRoot(
      'names the closed folder and the remedy where neither works, and leaves the folder to root',
      async () => {
        jest.spyOn(UserNamespace.prototype, 'run').mockReturnValue(undefined);
        chmodSync(base, 0o700);
        const message = await refusal();
        expect(message).toMatch(/user namespace is forbidden.*nobody cannot reach it.*Set DATA_DIR/);
        expect(message).toContain(folder);
        expect(message).not.toContain('\n');
        expect(statSync(folder).uid).toBe(0);
      },
    );
  });

  describe('dieWithParent', () => {
    it('ends the server when its starter is killed', async () => {
      const script = spawnScript('dying-process.ts', [folder]);
      scripts.push(script);
      const { pid } = JSON.parse(await script.firstLine) as Attached;
      servers.push(pid);
      expect(isRunning(pid)).toBe(true);
      script.child.kill('SIGKILL');
      await untilGone(pid);
      expect(isRunning(pid)).toBe(false);
    });
  });
});

describe('a boot that fails after the server has started', () => {
  it('leaves no postgres process, and a line that names the migration', async () => {
    const dataDir = mkdtempSync(path.join(os.tmpdir(), 'lattice-boot-'));
    const { exited } = spawnScript('failing-boot.ts', [dataDir]);
    const { code, stderr } = await exited;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ConfigurationError: A database migration failed: .*\n$/);
    expect(processesBelow(dataDir)).toEqual([]);
    rmSync(dataDir, { recursive: true });
  });
});

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return Object.values(rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (isRunning(pid) && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

async function end(pid: number, signal: NodeJS.Signals): Promise<void> {
  if (!isRunning(pid)) return;
  process.kill(pid, signal);
  await untilGone(pid);
}

/** The command lines of processes that work in this folder. */
function processesBelow(folder: string): readonly string[] {
  if (process.platform !== 'linux') return [];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(commandLine).filter((line) => line.includes(folder));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
