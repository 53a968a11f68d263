import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { packageRoot } from '../../../src/config/index';

interface Lock {
  readonly packages: Record<string, Record<string, unknown>>;
}
interface Counts {
  readonly total: number;
  readonly covered: number;
}
interface Figures {
  readonly lines: Counts;
  readonly functions: Counts;
}
interface Finished {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
  readonly wasInterrupted: boolean;
}
type WithLock = <T>(
  file: string,
  work: (addHolder: (pid: number) => void) => Promise<T>,
  onWait?: (pid: number) => void,
) => Promise<T>;
interface Scripts {
  build: { fingerprint: (root: string) => string; isBuilt: (root: string) => boolean };
  child: { runChild: (command: string, args: string[], options?: object) => Promise<Finished> };
  coverage: {
    coverageByModule: (files: Record<string, Figures>) => Map<string, Figures>;
    coverageRows: (modules: Map<string, Figures>) => { name: string; isEnough: boolean }[];
  };
  install: {
    missingPackages: (lock: Lock, installed: Lock) => string[];
    isInstalled: (root: string) => boolean;
  };
  licenses: {
    isAccepted: (expression: string) => boolean;
    licenseProblems: (lock: Lock, readManifest: (location: string) => object | undefined) => object;
  };
  lock: { withLock: WithLock; processIdentity: (pid: number) => string };
  runtime: {
    isAtLeast: (version: string, minimum: string) => boolean;
    pinnedPackage: (platform: string, arch: string) => string;
    requireHostNode: (version: string) => void;
  };
}

/** The scripts are plain ESM that also runs on an old Node, hence no types of their own. */
async function load<Name extends keyof Scripts>(name: Name): Promise<Scripts[Name]> {
  const file = path.join(packageRoot(), 'scripts', 'lib', `${name}.mjs`);
  return (await import(file)) as Scripts[Name];
}

const folders: string[] = [];

function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'scripts-'));
  folders.push(folder);
  return folder;
}

function deadProcess(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

describe('scripts/lib/runtime', () => {
  it.each([
    ['24.11.0', '24.11.0', true],
    ['24.9.9', '24.11.0', false],
    ['v25.0.0', '24.11.0', true],
    ['20.20.2', '24.11.0', false],
    ['24.11.1', '24.11.0', true],
  ])('isAtLeast(%s, %s) is %s', async (version, minimum, expected) => {
    const { isAtLeast } = await load('runtime');

    expect(isAtLeast(version, minimum)).toBe(expected);
  });

  it('pinnedPackage names the package as package.json does', async () => {
    const { pinnedPackage } = await load('runtime');
    const manifest = JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as {
      optionalDependencies: Record<string, string>;
    };

    for (const [platform, arch] of [
      ['linux', 'x64'],
      ['linux', 'arm64'],
      ['win32', 'x64'],
    ] as const) {
      expect(manifest.optionalDependencies).toHaveProperty(pinnedPackage(platform, arch));
    }
  });

  it('requireHostNode refuses a Node that is too old and says which is needed', async () => {
    const { requireHostNode } = await load('runtime');

    expect(() => requireHostNode('18.20.4')).toThrow(
      'Node 20 or newer is needed to start; this is Node 18.20.4.',
    );
    expect(() => requireHostNode('20.0.0')).not.toThrow();
  });
});

describe('scripts/lib/install', () => {
  const lock: Lock = {
    packages: {
      '': { name: 'app' },
      'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
      'node_modules/other-platform': { version: '2.0.0', integrity: 'sha512-o', optional: true },
    },
  };
  const installed = (a: Record<string, unknown>): Lock => ({ packages: { 'node_modules/a': a } });

  it('missingPackages accepts an install without the optional packages of other platforms', async () => {
    const { missingPackages } = await load('install');

    expect(missingPackages(lock, installed({ version: '1.0.0', integrity: 'sha512-a' }))).toEqual([]);
  });

  it.each([
    ['an absent package', { packages: {} }],
    ['another version', installed({ version: '1.0.1', integrity: 'sha512-a' })],
    ['other content', installed({ version: '1.0.0', integrity: 'sha512-b' })],
  ])('missingPackages names %s', async (_, present) => {
    const { missingPackages } = await load('install');

    expect(missingPackages(lock, present)).toEqual(['node_modules/a']);
  });

  it('isInstalled is false before the first install and after one that was cut off', async () => {
    const { isInstalled } = await load('install');
    const folder = scratchFolder();
    writeFileSync(path.join(folder, 'package-lock.json'), JSON.stringify(lock));

    expect(isInstalled(folder)).toBe(false);
    mkdirSync(path.join(folder, 'node_modules', 'a'), { recursive: true });
    expect(isInstalled(folder)).toBe(false);
  });

  it('isInstalled holds for this checkout', async () => {
    const { isInstalled } = await load('install');

    expect(isInstalled(packageRoot())).toBe(true);
  });
});

describe('scripts/lib/build', () => {
  function project(): string {
    const folder = scratchFolder();
    mkdirSync(path.join(folder, 'src', 'inner'), { recursive: true });
    mkdirSync(path.join(folder, 'dist'));
    writeFileSync(path.join(folder, 'src', 'inner', 'a.ts'), 'export const a = 1;');
    cpSync(path.join(packageRoot(), 'package.json'), path.join(folder, 'package.json'));
    return folder;
  }

  it('isBuilt holds while dist carries the fingerprint of the sources, and no longer', async () => {
    const { fingerprint, isBuilt } = await load('build');
    const folder = project();

    expect(isBuilt(folder)).toBe(false);
    writeFileSync(path.join(folder, 'dist', '.fingerprint'), fingerprint(folder));
    expect(isBuilt(folder)).toBe(true);
    writeFileSync(path.join(folder, 'src', 'inner', 'a.ts'), 'export const a = 2;');
    expect(isBuilt(folder)).toBe(false);
  });

  it('fingerprint notices a file that was added, renamed or emptied', async () => {
    const { fingerprint } = await load('build');
    const folder = project();
    const seen = new Set([fingerprint(folder)]);

    writeFileSync(path.join(folder, 'src', 'b.ts'), '');
    seen.add(fingerprint(folder));
    rmSync(path.join(folder, 'src', 'b.ts'));
    writeFileSync(path.join(folder, 'src', 'c.ts'), '');
    seen.add(fingerprint(folder));
    writeFileSync(path.join(folder, 'src', 'inner', 'a.ts'), '');
    seen.add(fingerprint(folder));

    expect(seen.size).toBe(4);
  });
});

describe('scripts/lib/lock', () => {
  it('withLock lets one at a time work and announces the holder once', async () => {
    const { withLock } = await load('lock');
    const file = path.join(scratchFolder(), 'lock');
    const log: string[] = [];
    const announced: number[] = [];
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));

    const first = withLock(file, async () => {
      log.push('first starts');
      await held;
      log.push('first ends');
    });
    const second = withLock(
      file,
      async () => void log.push('second starts'),
      (pid) => {
        announced.push(pid);
        release();
      },
    );
    await Promise.all([first, second]);

    expect(log).toEqual(['first starts', 'first ends', 'second starts']);
    expect(announced).toEqual([process.pid]);
    expect(existsSync(file)).toBe(false);
  });

  it('withLock takes over from a dead holder', async () => {
    const { withLock } = await load('lock');
    const file = path.join(scratchFolder(), 'lock');
    writeFileSync(file, `${deadProcess()}\n`);

    await expect(withLock(file, () => Promise.resolve('mine'))).resolves.toBe('mine');
  });

  it('withLock takes over when the id of a dead holder was given to another process', async () => {
    const { withLock, processIdentity } = await load('lock');
    const file = path.join(scratchFolder(), 'lock');
    writeFileSync(file, `${processIdentity(process.pid)}9\n`);

    await expect(withLock(file, () => Promise.resolve('mine'))).resolves.toBe('mine');
  });

  it('withLock waits for a child that outlived the holder', async () => {
    const { withLock, processIdentity } = await load('lock');
    const file = path.join(scratchFolder(), 'lock');
    writeFileSync(file, `${deadProcess()}\n${processIdentity(process.ppid)}\n`);
    const announced: number[] = [];

    await withLock(
      file,
      () => Promise.resolve(),
      (pid) => {
        announced.push(pid);
        rmSync(file);
      },
    );

    expect(announced).toEqual([process.ppid]);
  });

  it('withLock frees the lock when the work fails', async () => {
    const { withLock } = await load('lock');
    const file = path.join(scratchFolder(), 'lock');

    await expect(withLock(file, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(existsSync(file)).toBe(false);
  });
});

describe('scripts/lib/child', () => {
  it('runChild gives the exit code and what was printed', async () => {
    const { runChild } = await load('child');
    const program = "console.log('out'); console.error('err'); process.exitCode = 7";

    const result = await runChild(process.execPath, ['-e', program], { capture: true });

    expect(result).toMatchObject({ code: 7, signal: null, wasInterrupted: false });
    expect(result.output.split('\n').filter(Boolean).toSorted()).toEqual(['err', 'out']);
  });

  it('runChild passes a signal on once, however often it arrives at a time, and stops listening afterwards', async () => {
    const { runChild } = await load('child');
    const before = process.listenerCount('SIGINT');
    const program = `
      let received = 0;
      process.on('SIGINT', () => {
        if (++received === 1) setTimeout(() => process.exit(10 + received), 100);
      });
      setInterval(() => {}, 1000);`;
    const mark = path.join(scratchFolder(), 'ready');
    const marked = `${program}; require('node:fs').writeFileSync(${JSON.stringify(mark)}, '')`;

    const running = runChild(process.execPath, ['-e', marked], { capture: true });
    while (!existsSync(mark)) await delay(5);
    for (let times = 0; times < 3; times++) process.emit('SIGINT', 'SIGINT');
    const result = await running;

    expect(result).toMatchObject({ code: 11, signal: null, wasInterrupted: true });
    expect(process.listenerCount('SIGINT')).toBe(before);
  });

  it('runChild ends its child in good order when the terminal goes away', async () => {
    const { runChild } = await load('child');
    const hangUp = (): void => void process.emit('SIGHUP', 'SIGHUP');

    const result = await runChild(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
      capture: true,
      onSpawn: hangUp,
    });

    expect(result).toMatchObject({ code: null, signal: 'SIGTERM', wasInterrupted: true });
  });
});

describe('scripts/lib/licenses', () => {
  it.each([
    ['MIT', true],
    ['(AFL-2.1 OR BSD-3-Clause)', true],
    ['MIT AND GPL-3.0-only', false],
    ['MIT AND (GPL-3.0-only OR ISC)', true],
    ['GPL-3.0-only', false],
    ['SEE LICENSE IN LICENSE', false],
    ['', false],
  ])('isAccepted(%s) is %s', async (expression, expected) => {
    const { isAccepted } = await load('licenses');

    expect(isAccepted(expression)).toBe(expected);
  });

  it('licenseProblems names package and licence, asks the manifest where the lock is silent, and skips dev packages', async () => {
    const { licenseProblems } = await load('licenses');
    const lock: Lock = {
      packages: {
        '': {},
        'node_modules/good': { version: '1.0.0', license: 'ISC' },
        'node_modules/good/node_modules/@x/bad': { version: '2.0.0', license: 'AGPL-3.0' },
        'node_modules/old-style': { version: '3.0.0' },
        'node_modules/nameless': { version: '4.0.0' },
        'node_modules/tool': { version: '5.0.0', license: 'GPL-2.0', dev: true },
      },
    };
    const manifests: Record<string, object> = { 'node_modules/old-style': { licenses: [{ type: 'MIT' }] } };

    expect(licenseProblems(lock, (location) => manifests[location])).toEqual({
      problems: [
        { name: '@x/bad', version: '2.0.0', license: 'AGPL-3.0' },
        { name: 'nameless', version: '4.0.0', license: 'unknown' },
      ],
      checked: 4,
    });
  });
});

describe('scripts/lib/coverage', () => {
  const figures = (covered: number, total: number, functions = covered): Figures => ({
    lines: { total, covered },
    functions: { total, covered: functions },
  });
  const enough = { 'src/providers/a.ts': figures(9, 10), 'src/ledger/a.ts': figures(9, 10) };

  async function tooLow(files: Record<string, Figures>): Promise<string[]> {
    const { coverageByModule, coverageRows } = await load('coverage');
    return coverageRows(coverageByModule(files)).flatMap((row) => (row.isEnough ? [] : [row.name]));
  }

  it('accepts figures at the floors', async () => {
    const files = { ...enough, 'src/execution/a.ts': figures(90, 100), 'src/common/a.ts': figures(0, 15) };

    await expect(tooLow(files)).resolves.toEqual([]);
  });

  it('counts a module over all its files, subfolders included', async () => {
    const files = {
      ...enough,
      'src/execution/a.ts': figures(90, 100),
      'src/execution/inner/b.ts': figures(0, 1),
    };

    await expect(tooLow(files)).resolves.toEqual(['execution']);
  });

  it('counts functions apart from lines, and every module into src', async () => {
    const files = {
      ...enough,
      'src/execution/a.ts': figures(100, 100, 89),
      'src/gateway/a.ts': figures(0, 100),
    };

    await expect(tooLow(files)).resolves.toEqual(['execution', 'src']);
  });

  it('does not take a promised module that is absent from the report for covered', async () => {
    await expect(tooLow(enough)).resolves.toEqual(['execution']);
  });
});
