import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { parseYaml, readYamlFile } from '../../../src/config/index';
import { ConfigurationError } from '../../../src/errors/index';

const schema = z.strictObject({ list: z.array(z.strictObject({ size: z.number() })) });

describe('readYamlFile', () => {
  const made: string[] = [];
  afterAll(() => made.forEach((dir) => rmSync(dir, { recursive: true })));

  function folder(text?: string): string {
    const dir = mkdtempSync(path.join(tmpdir(), 'lattice-yaml-'));
    made.push(dir);
    if (text !== undefined) writeFileSync(path.join(dir, 'file.yaml'), text);
    return dir;
  }

  it('takes the first folder that has the file', () => {
    const [empty, own, builtIn] = [folder(), folder('list: [{ size: 1 }]'), folder('list: [{ size: 2 }]')];
    const read = readYamlFile([empty, own, builtIn], 'file.yaml', schema);
    expect(read).toMatchObject({ value: { list: [{ size: 1 }] }, file: path.join(own, 'file.yaml') });
    expect(read.version).not.toBe(readYamlFile([builtIn], 'file.yaml', schema).version);
  });

  it('says where it looked when no folder has it', () => {
    const empty = folder();
    expect(() => readYamlFile([empty], 'file.yaml', schema)).toThrow(ConfigurationError);
    expect(() => readYamlFile([empty], 'file.yaml', schema)).toThrow(empty);
  });

  it('does not skip a file that it cannot read', () => {
    const dir = folder('list: []');
    expect(() => readYamlFile([path.join(dir, 'file.yaml'), dir], 'file.yaml', schema)).toThrow(
      /cannot be read/,
    );
  });

  it.each([
    ['list: [{ size: 1 }, { size: big }]', 'a.yaml: list[1].size: '],
    ['list: []\nextra: 1', 'a.yaml: (top level): '],
    ['list: [', 'a.yaml: '],
    ['', 'a.yaml: (top level): '],
  ])('names the place of what is wrong in %j', (text, message) => {
    expect(() => parseYaml('a.yaml', text, schema)).toThrow(message);
  });
});
