import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../../src/config/index';

const SECRET = 's'.repeat(32);

describe('scripts.yaml', () => {
  let dir: string;

  beforeEach(() => {
    dir = realpathSync(mkdtempSync(path.join(tmpdir(), 'lattice-scripts-')));
  });

  afterEach(() => rmSync(dir, { recursive: true }));

  const load = (text?: string) => {
    if (text !== undefined) writeFileSync(path.join(dir, 'scripts.yaml'), text);
    return loadConfig({ LATTICE_SECRET_KEY: SECRET, LATTICE_CONFIG_DIR: dir }).scripts;
  };

  it('is built in without a command, and an empty one of your own is fine', () => {
    expect(load()).toEqual({});
    expect(load('# nothing yet\n')).toEqual({});
  });

  it('has a default for everything but the command, and runs in its own folder', () => {
    expect(load('openai: { command: [node, ./chat.mjs] }')).toEqual({
      openai: {
        command: ['node', './chat.mjs'],
        kinds: ['chat'],
        timeoutMs: 120_000,
        maxOutputBytes: 16_777_216,
        maxErrorBytes: 4096,
        env: [],
        cwd: dir,
        maxConcurrent: 4,
      },
    });
  });

  it('means cwd from its own folder', () => {
    mkdirSync(path.join(dir, 'bin'));
    expect(load('openai: { command: [x], cwd: bin }').openai?.cwd).toBe(path.join(dir, 'bin'));
    expect(load(`openai: { command: [x], cwd: ${tmpdir()} }`).openai?.cwd).toBe(tmpdir());
  });

  it.each([
    ['openai: {}', /openai\.command: /],
    ['openai: { command: [] }', /openai\.command: must name a program/],
    ['openai: { command: [" "] }', /openai\.command\[0\]: must name a program/],
    ['openai: { command: node chat.mjs }', /openai\.command: .*array/],
    ['openai: { command: [x], timeoutMs: 5 }', /openai\.timeoutMs: /],
    ['openai: { command: [x], maxOutputBytes: 1 }', /openai\.maxOutputBytes: /],
    ['openai: { command: [x], maxConcurrent: 0 }', /openai\.maxConcurrent: /],
    ['openai: { command: [x], kinds: [video] }', /openai\.kinds\[0\]: /],
    ['openai: { command: [x], env: ["A=b"] }', /openai\.env\[0\]: must be the name/],
    ['openai: { command: [x], env: [A, LATTICE_SECRET_KEY] }', /openai\.env\[1\]: is a secret of Lattice/],
    ['openai: { command: [x], env: [DATABASE_URL] }', /openai\.env\[0\]: is a secret of Lattice/],
    ['openai: { command: [x], cwd: gone }', /openai\.cwd: .*gone is not a folder/],
    ['openai: { command: [x], shell: true }', /openai: .*"shell"/],
    ['nobody: { command: [x] }', /\(top level\): .*"nobody"/],
    ['sandbox: { command: [x] }', /\(top level\): .*"sandbox"/],
    ['openai: { command: [x', /scripts\.yaml: .*line 1/],
  ])('refuses %s, naming the file, the place and the reason', (text, message) => {
    expect(() => load(text)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
    expect(() => load(text)).toThrow(message);
    expect(() => load(text)).toThrow(path.join(dir, 'scripts.yaml'));
  });
});

describe('LATTICE_USE_DIRECT', () => {
  const load = (LATTICE_USE_DIRECT?: string) =>
    loadConfig({ LATTICE_SECRET_KEY: SECRET, LATTICE_USE_DIRECT }).isDirectAllowed;

  it('is on unless it is switched off', () => {
    expect([load(), load(''), load('true'), load('false')]).toEqual([true, true, true, false]);
    expect(() => load('no')).toThrow('LATTICE_USE_DIRECT');
  });
});
