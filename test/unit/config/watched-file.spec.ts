import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Logger } from '@nestjs/common';
import { shortHash, WatchedFile } from '../../../src/config/index';
import { ConfigurationError } from '../../../src/errors/index';
import { eventually } from '../../support/eventually';

const NAME = 'routing/words.txt';

describe(WatchedFile.name, () => {
  let dirs: string[];
  let watched: WatchedFile<{ version: string; words: string }> | undefined;
  let told: { log: jest.SpyInstance; error: jest.SpyInstance };

  beforeEach(() => {
    dirs = [0, 1].map(() => mkdtempSync(path.join(tmpdir(), 'lattice-watched-')));
    for (const dir of dirs) mkdirSync(path.join(dir, 'routing'));
    write('first');
    told = {
      log: jest.spyOn(Logger.prototype, 'log').mockImplementation(),
      error: jest.spyOn(Logger.prototype, 'error').mockImplementation(),
    };
  });

  afterEach(async () => {
    await watched?.onApplicationShutdown();
    for (const dir of dirs) rmSync(dir, { recursive: true });
    jest.restoreAllMocks();
  });

  /** The second folder is the installation's own; the first is the administrator's. */
  const write = (words: string, dir = dirs[1] ?? '') => writeFileSync(path.join(dir, NAME), words);
  const read = () => {
    const own = dirs.map((dir) => path.join(dir, NAME));
    for (const file of own) {
      try {
        const words = readFileSync(file, 'utf8');
        if (words.startsWith('broken')) throw new ConfigurationError(`${file}: is broken`);
        return { version: shortHash(words), words };
      } catch (error) {
        if (error instanceof ConfigurationError) throw error;
      }
    }
    throw new ConfigurationError('missing');
  };
  const start = async (intervalMs = 5) => {
    watched = new WatchedFile({ relativePath: NAME, dirs, intervalMs, read });
    await watched.onApplicationBootstrap();
    return watched;
  };
  const becomes = (words: string) =>
    eventually(() => Promise.resolve(watched?.current.words === words ? true : undefined));

  it('follows the file and tells both versions', async () => {
    const file = await start();
    const before = file.current;
    write('second');
    await becomes('second');
    expect(file.current).not.toBe(before);
    expect(told.log).toHaveBeenCalledWith(expect.stringContaining(shortHash('second')));
    expect(told.log).toHaveBeenCalledWith(expect.stringContaining(shortHash('first')));
  });

  it('keeps what it has when the file is not valid, says so once, and takes it when it is repaired', async () => {
    const file = await start();
    write('broken');
    await eventually(() => Promise.resolve(told.error.mock.calls.length > 0 ? true : undefined));
    expect(file.current.words).toBe('first');
    write('repaired');
    await becomes('repaired');
    expect(told.error).toHaveBeenCalledTimes(1);
    expect(told.error).toHaveBeenCalledWith(expect.stringContaining('is broken'));
  });

  it('sees a file that appears in the folder that counts first, and that it is gone again', async () => {
    await start();
    write('of the administrator', dirs[0]);
    await becomes('of the administrator');
    rmSync(path.join(dirs[0] ?? '', NAME));
    await becomes('first');
  });

  it('takes what was changed between reading it and the start', async () => {
    watched = new WatchedFile({ relativePath: NAME, dirs, intervalMs: 5, read });
    write('meanwhile');
    await watched.onApplicationBootstrap();
    expect(watched.current.words).toBe('meanwhile');
  });

  it('does not look again with an interval of 0', async () => {
    const timers = jest.spyOn(globalThis, 'setInterval');
    await start(0);
    expect(timers).not.toHaveBeenCalled();
  });

  it('refuses to start with a file that is not valid', () => {
    write('broken');
    expect(() => new WatchedFile({ relativePath: NAME, dirs, intervalMs: 5, read })).toThrow(
      ConfigurationError,
    );
  });
});
