import { existsSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { fromApiId, newId } from '../../../src/common/index';
import { FileCleanup } from '../../../src/projects/file-cleanup';
import { type FileOwner, ProjectFiles } from '../../../src/tools/index';
import { startApp, type TestApp } from '../../support/app';

describe(FileCleanup.name, () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });

  afterAll(async () => {
    await app.close();
  });

  const folderOf = (owner: FileOwner): string =>
    path.join(app.dataDir, 'files', ...('userId' in owner ? ['users', owner.userId] : [owner.projectId]));

  async function written(owner: FileOwner): Promise<FileOwner> {
    await app.app.get(ProjectFiles).write(owner, 'deep/a.txt', Buffer.from('a'));
    const old = new Date(Date.now() - 7_200_000);
    utimesSync(folderOf(owner), old, old);
    return owner;
  }

  it('removes the files of those who are gone, and no others', async () => {
    const user = await app.register();
    const made = await app.call<{ id: string }>('POST', '/api/v1/projects', {
      body: { name: 'Shop', requirements: 'Sell soap' },
      credential: user.key,
    });
    const kept = [
      await written({ projectId: fromApiId('prj', made.body.id) ?? '' }),
      await written({ userId: fromApiId('usr', user.userId) ?? '' }),
      // Of another database, which was there before this one.
      await written({ projectId: newId(Date.now() - 86_400_000) }),
    ];
    const gone = [await written({ projectId: newId() }), await written({ userId: newId() })];
    const busy = { projectId: newId() };
    await app.app.get(ProjectFiles).write(busy, 'a.txt', Buffer.from('a'));

    expect(await app.app.get(FileCleanup).run()).toBe(2);
    expect(gone.filter((owner) => existsSync(folderOf(owner)))).toEqual([]);
    expect([...kept, busy].filter((owner) => !existsSync(folderOf(owner)))).toEqual([]);
    expect(await app.app.get(FileCleanup).run()).toBe(0);
  });
});
