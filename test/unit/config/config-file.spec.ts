import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findConfigFile } from '../../../src/config/index';
import { ConfigurationError } from '../../../src/errors/index';

const NAME = 'routing/weights.bin';

describe('findConfigFile', () => {
  const made: string[] = [];
  afterAll(() => made.forEach((dir) => rmSync(dir, { recursive: true })));

  function folder(bytes?: Buffer): string {
    const dir = mkdtempSync(path.join(tmpdir(), 'lattice-config-'));
    made.push(dir);
    mkdirSync(path.join(dir, 'routing'));
    if (bytes) writeFileSync(path.join(dir, NAME), bytes);
    return dir;
  }

  it('gives the bytes as they are, with their SHA-256 as version, from the first folder that has the file', () => {
    const bytes = Buffer.from([0xff, 0x00, 0xfe, 0x0a]);
    const [empty, own, builtIn] = [folder(), folder(bytes), folder(Buffer.from('other'))];
    const found = findConfigFile([empty, own, builtIn], NAME);
    const version = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
    expect(found).toEqual({ file: path.join(own, NAME), bytes, version });
  });

  it('takes an empty file for a file', () => {
    expect(findConfigFile([folder(Buffer.alloc(0)), folder(Buffer.from('other'))], NAME).bytes).toHaveLength(
      0,
    );
  });

  it('says where it looked when no folder has it', () => {
    const empty = folder();
    expect(() => findConfigFile([empty], NAME)).toThrow(ConfigurationError);
    expect(() => findConfigFile([empty], NAME)).toThrow(`${NAME} is missing: looked in ${empty}`);
  });

  it('does not skip what it cannot read', () => {
    const dir = folder(Buffer.from('other'));
    mkdirSync(path.join(dir, 'folder.bin'));
    expect(() => findConfigFile([dir], 'folder.bin')).toThrow(/folder\.bin cannot be read/);
  });
});
