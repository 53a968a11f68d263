import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../src/config/index';

const root = packageRoot();

function filesBelow(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
}

const sources = filesBelow('src').filter((file) => file.endsWith('.ts'));
const textOf = (file: string): string => readFileSync(path.join(root, file), 'utf8');
/** The migrations themselves; a long one keeps its SQL in a folder beside it. */
const isMigration = (file: string): boolean => /\/migrations\/[^/]+\.ts$/.test(file);

describe('the sources', () => {
  it('hold no tests', () => {
    expect(filesBelow('src').filter((file) => /spec\.|\.test\.|__tests__|__mocks__/.test(file))).toEqual([]);
  });

  it('have at most 300 lines per file', () => {
    const tooLong = sources.filter((file) => !isMigration(file) && textOf(file).split('\n').length > 301);

    expect(tooLong).toEqual([]);
  });

  it('read the environment in src/config only', () => {
    const readers = sources.filter((file) => /\bprocess\s*\.\s*env\b|\bprocess\s*\[/.test(textOf(file)));

    expect(readers.filter((file) => !file.startsWith('src/config/'))).toEqual([]);
  });

  it('switch off no lint or type rule', () => {
    const silenced = sources.filter((file) =>
      /oxlint-disable|eslint-disable|@ts-(ignore|nocheck)/.test(textOf(file)),
    );

    expect(silenced).toEqual([]);
  });

  it('leave no work for later', () => {
    const marks = sources.filter((file) => /\b(TODO|FIXME|XXX|HACK)\b/.test(textOf(file)));

    expect(marks).toEqual([]);
  });

  it('give every migration a way down', () => {
    const oneWay = sources.filter((file) => isMigration(file) && !/async down\(/.test(textOf(file)));

    expect(oneWay).toEqual([]);
  });
});
