import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { newId } from '../../../src/common/index';
import { ProjectFiles } from '../../../src/tools/index';
import { FileTool } from '../../../src/tools/files/file.tool';
import { aContext } from '../../support/factories';
import { callerOf, type ToolCaller, toolConfig } from '../../support/tools/tool-caller';

describe(FileTool.name, () => {
  const projectId = newId();
  const ctx = aContext({ work: { projectId } });
  let root: string;
  let call: ToolCaller;

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'lattice-files-'));
    const config = toolConfig({ FILES_DIR: root, FILES_QUOTA_BYTES: '1000000' });
    const caller = callerOf(config, 'file', () => new FileTool(new ProjectFiles(config)));
    call = (args, more) => caller(args, { ctx, ...more });
  });

  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('writes, extends, reads, lists and deletes', async () => {
    const file = { path: 'notes/plan.md' };
    expect((await call({ action: 'write', ...file, content: 'grün' })).answer).toEqual({ ...file, bytes: 5 });
    expect((await call({ action: 'append', ...file, content: '!' })).answer).toEqual({ ...file, bytes: 6 });
    expect((await call({ action: 'read', ...file })).answer).toEqual({
      ...file,
      content: 'grün!',
      encoding: 'utf8',
      bytes: 6,
    });
    for (const folder of [undefined, '', '.', 'notes', 'notes/']) {
      expect((await call({ action: 'list', path: folder })).answer).toEqual({
        files: [{ ...file, bytes: 6, modifiedAt: expect.stringMatching(/^\d{4}-.*Z$/) }],
      });
    }
    expect((await call({ action: 'delete', ...file })).answer).toEqual({ ...file, isDeleted: true });
    expect((await call({ action: 'list' })).answer).toEqual({ files: [] });
    expect((await call({ action: 'read', ...file })).content).toBe('Error: There is no such file.');
  });

  it('works for the project of the call, else for its user', async () => {
    const alone = aContext();
    await call({ action: 'write', path: 'a', content: 'project' });
    await call({ action: 'write', path: 'a', content: 'user' }, { ctx: alone });
    expect(readFileSync(path.join(root, projectId, 'a'), 'utf8')).toBe('project');
    expect(readFileSync(path.join(root, 'users', alone.principal.userId, 'a'), 'utf8')).toBe('user');
    const stranger = { ctx: aContext({ work: { projectId: newId() } }) };
    expect((await call({ action: 'read', path: 'a' }, stranger)).ok).toBe(false);
  });

  it('takes and gives bytes as base64', async () => {
    const bytes = Buffer.from([0, 255, 1, 254]);
    const content = bytes.toString('base64');
    await call({ action: 'write', path: 'a', content, encoding: 'base64' });
    expect(readFileSync(path.join(root, projectId, 'a'))).toEqual(bytes);
    expect((await call({ action: 'read', path: 'a', encoding: 'base64' })).answer?.content).toBe(content);
    expect((await call({ action: 'read', path: 'a' })).content).toContain('read it with encoding base64');
    for (const wrong of ['a', 'ab=c', '$$$$']) {
      const { ok } = await call({ action: 'write', path: 'b', content: wrong, encoding: 'base64' });
      expect(ok).toBe(false);
    }
  });

  it.each(['utf8', 'base64'])(
    'reads a long file part by part as %s, no character being cut',
    async (encoding) => {
      const whole = 'aä€😀\u0001'.repeat(12_000);
      await call({ action: 'write', path: 'long', content: '' });
      writeFileSync(path.join(root, projectId, 'long'), whole);
      const parts: string[] = [];
      for (let offset: unknown = 0; offset !== undefined;) {
        const { answer, content } = await call({
          action: 'read',
          path: 'long',
          encoding,
          offset: offset as number,
        });
        expect(content).not.toContain('[cut:');
        parts.push(answer?.content as string);
        offset = answer?.nextOffset;
      }
      const read = encoding === 'utf8' ? parts.join('') : Buffer.from(parts.join(''), 'base64').toString();
      expect(read).toBe(whole);
      expect(parts.length).toBeGreaterThan(2);
    },
  );

  it.each([
    [{ action: 'run' }, 'arguments.action must be one of'],
    [{}, 'arguments.action is required'],
    [{ action: 'read' }, 'read needs a path'],
    [{ action: 'write', path: 'a' }, 'write needs content'],
    [{ action: 'read', path: '../../etc/passwd' }, 'The path is not possible'],
    [{ action: 'list', path: '..' }, 'The path is not possible'],
    [{ action: 'read', path: 'a', offset: -1 }, 'arguments.offset must be >= 0'],
    [{ action: 'write', path: 'a', content: 'x', mode: 7 }, 'arguments.mode is not known'],
  ])('refuses %j', async (args, reason) => {
    const { ok, content } = await call(args);
    expect(ok).toBe(false);
    expect(content).toContain(reason);
  });

  it('tells the model that there is no room', async () => {
    const { content } = await call({ action: 'write', path: 'a', content: 'x'.repeat(1_000_001) });
    expect(content).toContain('all files together would have 1000001 bytes, and may have 1000000');
  });
});
