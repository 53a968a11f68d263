import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { newId } from '../../../src/common/index';
import { ProjectFiles } from '../../../src/tools/index';
import { inFolder, SandboxFolder } from '../../../src/tools/files/sandbox-folder';
import { toolConfig } from '../../support/tools/tool-caller';

describe(ProjectFiles.name, () => {
  const projectId = newId();
  const owner = { projectId };
  let base: string;
  let root: string;
  let outside: string;

  beforeEach(() => {
    base = realpathSync(mkdtempSync(path.join(tmpdir(), 'lattice-files-')));
    root = path.join(base, 'files');
    outside = path.join(base, 'outside');
    mkdirSync(outside);
    writeFileSync(path.join(outside, 'secret.txt'), 'secret');
  });

  afterEach(() => rmSync(base, { recursive: true, force: true }));

  const files = (env: NodeJS.ProcessEnv = {}): ProjectFiles =>
    new ProjectFiles(toolConfig({ FILES_DIR: root, ...env }));
  const inProject = (...names: string[]): string => path.join(root, projectId, ...names);
  const read = async (from: ProjectFiles, file: string, who: Parameters<ProjectFiles['read']>[0] = owner) =>
    (await from.read(who, file, { maxBytes: 1000 })).bytes.toString();

  it('keeps what was written, and replaces it', async () => {
    const all = files();
    expect(await all.write(owner, 'notes/plan.md', Buffer.from('one'))).toEqual({
      path: 'notes/plan.md',
      bytes: 3,
    });
    await all.write(owner, 'notes/plan.md', Buffer.from('second'));
    expect(await read(all, 'notes/plan.md')).toBe('second');
    expect(readdirSync(inProject('notes'))).toEqual(['plan.md']);
    const { stream, bytes } = await all.open(owner, 'notes/plan.md');
    expect([await text(stream), bytes]).toEqual(['second', 6]);
  });

  it('adds to the end, and makes the file first', async () => {
    const all = files();
    expect(await all.append(owner, 'log.txt', Buffer.from('a'))).toEqual({ path: 'log.txt', bytes: 1 });
    expect(await all.append(owner, 'log.txt', Buffer.from('bc'))).toEqual({ path: 'log.txt', bytes: 3 });
    expect(await read(all, 'log.txt')).toBe('abc');
  });

  it('reads a part, also beyond the end', async () => {
    const all = files();
    await all.write(owner, 'a', Buffer.from('abcdef'));
    const part = async (offset: number, maxBytes: number) => {
      const { bytes, size } = await all.read(owner, 'a', { offset, maxBytes });
      return [bytes.toString(), size];
    };
    expect(await part(2, 3)).toEqual(['cde', 6]);
    expect(await part(4, 100)).toEqual(['ef', 6]);
    expect(await part(99, 100)).toEqual(['', 6]);
  });

  it('lists all files, or those of a folder', async () => {
    const all = files();
    for (const name of ['b.txt', 'a/x/1', 'a/2']) await all.write(owner, name, Buffer.from(name));
    const names = async (folder?: string) => (await all.list(owner, folder)).files.map((file) => file.path);
    expect(await names()).toEqual(['a/2', 'a/x/1', 'b.txt']);
    expect(await names('a')).toEqual(['a/2', 'a/x/1']);
    expect((await all.list(owner)).files[2]).toEqual({
      path: 'b.txt',
      bytes: 5,
      modifiedAt: statSync(inProject('b.txt')).mtime,
    });
    await expect(all.list(owner, 'c')).rejects.toThrow('no such file');
    await expect(all.list(owner, '../outside')).rejects.toThrow('not possible');
  });

  it('makes no folder before something is written', async () => {
    const all = files({ FILES_QUOTA_BYTES: '10' });
    expect(await all.list(owner)).toEqual({ files: [], isCut: false });
    await expect(read(all, 'a/b')).rejects.toThrow('There is no such file');
    await expect(all.remove(owner, 'a/b')).rejects.toThrow('There is no such file');
    await expect(all.write(owner, 'a/b', Buffer.alloc(11))).rejects.toThrow('no room');
    await expect(all.write(owner, '../a', Buffer.alloc(1))).rejects.toThrow('not possible');
    await all.removeAll({ projectId });
    expect(readdirSync(base)).toEqual(['outside']);
  });

  it('is open to nobody else on the machine', async () => {
    await files().write(owner, 'a/b', Buffer.from('x'));
    expect(statSync(inProject('a')).mode & 0o077).toBe(0);
    expect(statSync(inProject('a', 'b')).mode & 0o077).toBe(0);
  });

  it('removes a file, and the folders that are empty then', async () => {
    const all = files();
    await all.write(owner, 'a/b/c/1', Buffer.from('x'));
    await all.write(owner, 'a/2', Buffer.from('x'));
    await all.remove(owner, 'a/b/c/1');
    expect(readdirSync(inProject('a'))).toEqual(['2']);
    await expect(all.remove(owner, 'a')).rejects.toThrow('it is a folder');
  });

  it('removes everything of one project only', async () => {
    const all = files();
    const other = { projectId: newId() };
    const user = { userId: newId() };
    for (const who of [owner, other, user]) await all.write(who, 'a/b', Buffer.from('x'));
    symlinkSync(outside, inProject('link'));
    await all.removeAll({ projectId });
    expect((await all.list(owner)).files).toEqual([]);
    expect(await read(all, 'a/b', other)).toBe('x');
    expect(await read(all, 'a/b', user)).toBe('x');
    expect(readdirSync(outside)).toEqual(['secret.txt']);
  });

  it('keeps owners apart', async () => {
    const all = files();
    const userId = newId();
    await all.write({ userId }, 'a', Buffer.from('user'));
    await all.write({ projectId: userId }, 'a', Buffer.from('project'));
    expect(await read(all, 'a', { userId })).toBe('user');
    expect(readFileSync(path.join(root, 'users', userId, 'a'), 'utf8')).toBe('user');
    await expect(all.write({ projectId: '../outside' }, 'a', Buffer.from('x'))).rejects.toThrow('UUID');
  });

  it('is in the data folder unless told otherwise', async () => {
    const all = new ProjectFiles(toolConfig({ DATA_DIR: base }));
    await all.write(owner, 'a', Buffer.from('x'));
    expect(readFileSync(inProject('a'), 'utf8')).toBe('x');
  });

  it('may stand behind a link that the administrator has set', async () => {
    mkdirSync(path.join(base, 'disk'));
    symlinkSync(path.join(base, 'disk'), root);
    await files().write(owner, 'a/b', Buffer.from('x'));
    expect(await read(files(), 'a/b')).toBe('x');
  });

  describe('a link', () => {
    const everything: readonly [string, (all: ProjectFiles, file: string) => Promise<unknown>][] = [
      ['read', (all, file) => read(all, file)],
      ['open', (all, file) => all.open(owner, file)],
      ['write', (all, file) => all.write(owner, file, Buffer.from('x'))],
      ['append', (all, file) => all.append(owner, file, Buffer.from('x'))],
      ['remove', (all, file) => all.remove(owner, file)],
    ];

    beforeEach(async () => {
      await files().write(owner, 'own/a.txt', Buffer.from('own'));
      symlinkSync(outside, inProject('folder'));
      symlinkSync(path.join(outside, 'secret.txt'), inProject('file'));
      symlinkSync(path.join(outside, 'new.txt'), inProject('dangling'));
      symlinkSync('own', inProject('inner'));
      linkSync(path.join(outside, 'secret.txt'), inProject('second'));
    });

    afterEach(() => {
      expect(readdirSync(outside)).toEqual(['secret.txt']);
      expect(readFileSync(path.join(outside, 'secret.txt'), 'utf8')).toBe('secret');
    });

    const cases = everything.flatMap(([name, act]) =>
      [
        'folder/secret.txt',
        'folder/new.txt',
        'folder/sub/new.txt',
        'file',
        'file/x',
        'dangling',
        'inner/a.txt',
      ].map((file) => [name, file, act] as const),
    );
    it.each(cases)('leads nowhere: %s %s', async (_, file, act) => {
      await expect(act(files(), file)).rejects.toThrow(/not possible/);
    });

    it.each(['read', 'open', 'append'])(
      'of another kind leads nowhere: %s a file with a second name',
      async (name) => {
        const act = everything.find(([other]) => other === name)?.[1];
        await expect(act?.(files(), 'second')).rejects.toThrow('second name');
      },
    );

    it('is no file of the project', async () => {
      const { files: found } = await files().list(owner);
      expect(found.map((file) => file.path)).toEqual(['own/a.txt', 'second']);
      await expect(files().list(owner, 'folder')).rejects.toThrow('not possible');
    });

    it('in place of a project’s folder leads nowhere', async () => {
      const other = { projectId: newId() };
      symlinkSync(outside, path.join(root, other.projectId));
      await expect(files().write(other, 'a', Buffer.from('x'))).rejects.toThrow('not possible');
      await expect(files().list(other)).rejects.toThrow('not possible');
    });
  });

  describe.each([true, false])('a folder that is open, pinned: %s', (canPin) => {
    beforeEach(async () => {
      await files().write(owner, 'a/b/own.txt', Buffer.from('own'));
    });

    it('leads through no link', async () => {
      symlinkSync(outside, inProject('folder'));
      symlinkSync('a', inProject('inner'));
      const top = await SandboxFolder.root(inProject(), canPin);
      try {
        await expect(top.child('folder')).rejects.toThrow(/ELOOP|ENOTDIR|link/);
        await expect(top.child('inner')).rejects.toThrow(/ELOOP|ENOTDIR|link/);
        const a = await top.child('a');
        expect((await a.entries()).map(({ name }) => name)).toEqual(['b']);
        await a.close();
      } finally {
        await top.close();
      }
    });
  });

  it('stays where it was when a link is put into the way', async () => {
    await files().write(owner, 'a/own.txt', Buffer.from('own'));
    const seen = await inFolder({ root, names: [projectId, 'a'] }, async (folder) => {
      await rename(inProject('a'), inProject('moved'));
      symlinkSync(outside, inProject('a'));
      return (await folder.entries()).map(({ name }) => name);
    });
    // Only Linux can hold on to a folder; elsewhere the way was checked before.
    expect(seen).toEqual(process.platform === 'linux' ? ['own.txt'] : ['secret.txt']);
  });

  it.each(['child', 'entries'] as const)(
    'lists what is beside a folder that goes before its %s',
    async (step) => {
      const all = files({ FILES_QUOTA_BYTES: '10' });
      await all.write(owner, 'a/gone.txt', Buffer.alloc(1));
      await all.write(owner, 'b.txt', Buffer.alloc(9));
      let calls = 0;
      const original = methodOf(step);
      // The first is that of the project's own folder.
      jest.spyOn(SandboxFolder.prototype, step).mockImplementation(function (this: SandboxFolder, ...args) {
        calls += 1;
        if (calls % 2 === 0) rmSync(inProject('a'), { recursive: true, force: true });
        return original.apply(this, args);
      });
      expect((await all.list(owner)).files.map((file) => file.path)).toEqual(['b.txt']);
      expect(calls).toBe(2);
      jest.restoreAllMocks();
    },
  );

  it.each(['write', 'append'] as const)(
    '%ss though another process takes the folder away, which is empty',
    async (act) => {
      const original = methodOf('child') as (...args: unknown[]) => Promise<SandboxFolder>;
      let isTaken = false;
      const child = async function (
        this: SandboxFolder,
        ...args: [string, boolean?]
      ): Promise<SandboxFolder> {
        const folder = await original.apply(this, args);
        if (args[0] === 'a' && !isTaken) {
          isTaken = true;
          rmdirSync(inProject('a'));
        }
        return folder;
      };
      jest.spyOn(SandboxFolder.prototype, 'child').mockImplementation(child);
      expect(await files()[act](owner, 'a/b', Buffer.from('x'))).toEqual({ path: 'a/b', bytes: 1 });
      jest.restoreAllMocks();
      expect(isTaken).toBe(true);
      expect(await read(files(), 'a/b')).toBe('x');
    },
  );

  it('names those whose folder is as it was for an hour', async () => {
    const all = files();
    expect(await all.settledOwners()).toEqual([]);
    const userId = newId();
    const [busy, settled] = [newId(), { userId }];
    for (const who of [owner, { projectId: busy }, settled]) await all.write(who, 'a.txt', Buffer.from('a'));
    mkdirSync(path.join(root, 'lost+found'));
    symlinkSync(outside, path.join(root, newId()));
    const old = new Date(Date.now() - 3_700_000);
    for (const names of [[projectId], ['users', userId], ['lost+found'], ['users']]) {
      utimesSync(path.join(root, ...names), old, old);
    }
    expect(await all.settledOwners()).toEqual([owner, settled]);
  });

  it('writes nothing after the call was cancelled, though it was counting', async () => {
    const all = files();
    await all.write(owner, 'a.txt', Buffer.from('a'));
    const controller = new AbortController();
    const original = methodOf('entries');
    jest.spyOn(SandboxFolder.prototype, 'entries').mockImplementation(function (this: SandboxFolder) {
      controller.abort();
      return original.call(this);
    });
    await expect(all.write(owner, 'b.txt', Buffer.from('b'), controller.signal)).rejects.toThrow();
    jest.restoreAllMocks();
    expect(readdirSync(inProject())).toEqual(['a.txt']);
  });

  it('takes no pipe for a file', async () => {
    await files().write(owner, 'a', Buffer.from('x'));
    const { execFileSync } = await import('node:child_process');
    execFileSync('mkfifo', [inProject('pipe')]);
    await expect(read(files(), 'pipe')).rejects.toThrow('no file');
    await expect(files().append(owner, 'pipe', Buffer.from('x'))).rejects.toThrow('no file');
  });

  describe('the quota', () => {
    it('counts all files of the owner, and only what is added', async () => {
      const all = files({ FILES_QUOTA_BYTES: '10' });
      await all.write(owner, 'a', Buffer.alloc(6));
      await all.write(owner, 'b', Buffer.alloc(4));
      await expect(all.write(owner, 'c', Buffer.alloc(1))).rejects.toMatchObject({ status: 413 });
      await expect(all.append(owner, 'a', Buffer.alloc(1))).rejects.toThrow('11 bytes, and may have 10');
      await all.write(owner, 'a', Buffer.alloc(5));
      await all.append(owner, 'b', Buffer.alloc(1));
      await all.write({ projectId: newId() }, 'a', Buffer.alloc(10));
      await all.remove(owner, 'a');
      await all.write(owner, 'c', Buffer.alloc(5));
    });

    it('lets files become smaller also where it is exceeded', async () => {
      await files().write(owner, 'a', Buffer.alloc(20));
      const all = files({ FILES_QUOTA_BYTES: '10' });
      await all.write(owner, 'a', Buffer.alloc(15));
      await expect(all.append(owner, 'a', Buffer.alloc(1))).rejects.toThrow('no room');
    });

    it('holds when many write at once', async () => {
      const all = files({ FILES_QUOTA_BYTES: '100' });
      const writes = Array.from({ length: 40 }, (_, at) =>
        at % 2 === 0
          ? all.write(owner, `f/${at}`, Buffer.alloc(10))
          : all.append(owner, 'f/shared', Buffer.alloc(10)),
      );
      const results = await Promise.allSettled(writes);
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
      const { files: found } = await all.list(owner);
      expect(found.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(100);
    });

    it('is joined by a limit for each file', async () => {
      const all = files({ FILES_QUOTA_BYTES: '1000000000' });
      const tooLarge = Buffer.alloc(64 * 1024 * 1024 + 1);
      await expect(all.write(owner, 'a', tooLarge)).rejects.toThrow('a file may have 67108864 bytes');
    });
  });

  it('writes nothing for somebody who has left while waiting', async () => {
    const all = files();
    const controller = new AbortController();
    const first = all.write(owner, 'a', Buffer.from('first'));
    const second = all.write(owner, 'a', Buffer.from('second'), controller.signal);
    controller.abort(new Error('gone'));
    await expect(second).rejects.toThrow('gone');
    await first;
    expect(await read(all, 'a')).toBe('first');
  });

  it('leaves no draft behind, and takes away those of dead processes', async () => {
    const all = files();
    await all.write(owner, 'a/b', Buffer.from('x'));
    await expect(all.write(owner, 'a', Buffer.from('x'))).rejects.toThrow('it is a folder');
    const [stale, fresh] = [inProject('.lattice-stale'), inProject('a', '.lattice-fresh')];
    for (const draft of [stale, fresh]) writeFileSync(draft, 'half');
    utimesSync(stale, new Date(0), new Date(0));
    expect((await all.list(owner)).files.map((file) => file.path)).toEqual(['a/b']);
    expect(readdirSync(inProject())).toEqual(['a']);
    expect(readdirSync(inProject('a'))).toEqual(['.lattice-fresh', 'b']);
    await expect(read(all, 'a/.lattice-fresh')).rejects.toThrow('taken');
  });

  it('names no path of this machine when something fails', async () => {
    writeFileSync(root, 'no folder');
    const failure = await files()
      .write(owner, 'a', Buffer.from('x'))
      .catch((error: Error) => error.message);
    expect(failure).toMatch(/\w/);
    expect(failure).not.toContain(base);
  });
});

function methodOf(name: 'child' | 'entries'): (...args: unknown[]) => never {
  return SandboxFolder.prototype[name] as (...args: unknown[]) => never;
}
